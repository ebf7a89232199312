import type { Reporter, SerializedError, TestModule } from "vitest/node";

interface RunCount {
  passed: number;
  failed: number;
  /** Full names, so that nothing is left out unseen. */
  skipped: string[];
}

interface ClosingLineOptions {
  /** Where a skipped test counts as a failure: in CI nothing may be left out. */
  skipIsFailure?: boolean;
  write?: (text: string) => void;
}

/**
 * The last reporter of a run: its last line is `N passed, N failed`, with `, N skipped` when there are any.
 * A file that does not load, a hook that throws and an error outside of any test count as failures too,
 * so that the line never says "0 failed" about a run that failed.
 */
export function createClosingLine(options: ClosingLineOptions = {}): Reporter {
  const write = options.write ?? ((text) => process.stdout.write(text));
  const skipIsFailure = options.skipIsFailure ?? process.env["CI"] === "true";
  return {
    onTestRunEnd(modules, unhandledErrors) {
      const count = countRun(modules, unhandledErrors);
      if (skipIsFailure && count.skipped.length > 0) {
        write(`\nSkipped, which is a failure in CI:\n${count.skipped.map((name) => `  ${name}\n`).join("")}`);
        process.exitCode = 1;
      }
      write(`\n${closingLine(count, skipIsFailure)}\n`);
    },
  };
}

/** `14 passed, 0 failed`; skipped tests are added to the failures where they count as such. */
function closingLine(count: RunCount, skipIsFailure: boolean): string {
  const skipped = count.skipped.length;
  if (skipIsFailure) return `${count.passed} passed, ${count.failed + skipped} failed`;
  return `${count.passed} passed, ${count.failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;
}

function countRun(modules: readonly TestModule[], unhandledErrors: readonly SerializedError[]): RunCount {
  const count: RunCount = { passed: 0, failed: unhandledErrors.length, skipped: [] };
  for (const module of modules) countModule(module, count);
  return count;
}

function countModule(module: TestModule, count: RunCount): void {
  if (module.errors().length > 0) count.failed += 1;
  for (const suite of module.children.allSuites()) {
    if (suite.errors().length > 0) count.failed += 1;
  }
  for (const test of module.children.allTests()) {
    const state = test.result().state;
    if (state === "passed") count.passed += 1;
    else if (state === "failed") count.failed += 1;
    else count.skipped.push(`${module.relativeModuleId} > ${test.fullName}`);
  }
}
