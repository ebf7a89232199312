import { defineConfig } from "vitest/config";
import { createClosingLine } from "./tests/support/closing-line.ts";
import { LongestFirst } from "./tests/support/longest-first.ts";

const CODE = "{api,agent,server,cli,engines/*,tools,bench,conformance,tests/support}";

/** Files share a process per worker: modules keep no global state, and a run costs a tenth. */
const shared = { isolate: false, maxWorkers: 2 };
/** Where much is waited for: for bake times, evidence, drains, processes that start. */
const waiting = { ...shared, maxWorkers: 3, sequence: { groupOrder: 1 } };

export default defineConfig({
  test: {
    cache: false,
    reporters: ["default", createClosingLine()],
    slowTestThreshold: 2_000,
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        test: {
          ...shared,
          name: "unit",
          include: [`${CODE}/**/*.test.ts`],
          exclude: ["**/node_modules/**", "**/*.int.test.ts"],
          testTimeout: 10_000,
        },
      },
      {
        test: {
          ...waiting,
          name: "integration",
          include: [`${CODE}/**/*.int.test.ts`],
          exclude: ["**/node_modules/**"],
          globalSetup: "tests/support/postgres-setup.ts",
          testTimeout: 30_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          ...waiting,
          name: "e2e",
          include: ["tests/e2e/**/*.test.ts"],
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          ...shared,
          name: "resilience",
          include: ["tests/resilience/**/*.test.ts"],
          // How soon something is back is measured: nothing else runs beside it.
          fileParallelism: false,
          sequence: { groupOrder: 2 },
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          ...shared,
          name: "faults",
          include: ["tests/faults/**/*.test.ts"],
          testTimeout: 180_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
