// Browser tests: one Chromium, files one after the other, because two cores are shared by everything.
import { defineConfig } from "vitest/config";

export default defineConfig({
  root: import.meta.dirname,
  test: {
    include: ["**/*.test.ts"],
    fileParallelism: false,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // What follows an act of the person a moment later (the address, a switch) is polled for, never read once.
    expect: { poll: { timeout: 10_000, interval: 25 } },
  },
});
