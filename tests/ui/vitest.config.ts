// Browser tests: two files at a time, each with a Chromium of its own. While one waits (for the first moments of a
// question, for an engine) the other works; more than two would only wait for each other on a small machine.
import { defineConfig } from "vitest/config";

export default defineConfig({
  root: import.meta.dirname,
  test: {
    include: ["**/*.test.ts"],
    maxWorkers: 2,
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // What follows an act of the person a moment later (the address, a switch) is polled for, never read once.
    expect: { poll: { timeout: 30_000, interval: 25 } },
  },
});
