// End-to-end tests: the real daemon, shim and CLI, real servers, official SDK clients. One file after the other, because
// each starts a dozen processes and two cores are shared by everything.
import { defineConfig } from "vitest/config";

export default defineConfig({
  root: import.meta.dirname,
  test: {
    include: ["**/*.test.ts"],
    globalSetup: ["support/python.ts"],
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 180_000,
  },
});
