// What is asked of apps in several places. Pure.
import type { App, Server } from "../types";

/** All servers of an app, from all its config files. */
export const serversOf = (app: App): Server[] => app.files.flatMap((file) => file.servers);
