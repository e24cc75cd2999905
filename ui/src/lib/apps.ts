// What is asked of apps in several places. Pure.
import type { App, Server } from "../types";

/** All servers of an app, from all its config files. */
export const serversOf = (app: App): Server[] => app.files.flatMap((file) => file.servers);

export const hasServers = (app: App): boolean => serversOf(app).length > 0;

/** Some of its servers or all of them are protected. */
export const isProtected = (app: App): boolean => app.protected !== false && hasServers(app);
