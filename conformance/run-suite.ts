import { access, readdir } from "node:fs/promises";
import { join } from "node:path";
import type { CaseResult, Suite } from "./suite.ts";

/** Failures are told one by one up to here; the count is always complete. */
const SHOWN_FAILURES = 40;

export interface Surroundings {
  repositoryFolder: string;
  /** Where the suites that others wrote lie; each in a folder of its own. */
  sharedFolder: string;
  /** In CI an absent suite is a failure. */
  isCi: boolean;
  install(packages: readonly string[]): Promise<void>;
  say(line: string): void;
}

/** Names of the suites: the folders with a `suite.ts`. */
export async function listSuites(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const names: string[] = [];
  for (const entry of entries) {
    if (entry.isDirectory() && (await exists(join(folder, entry.name, "suite.ts")))) names.push(entry.name);
  }
  return names.toSorted();
}

/** Runs a suite, says what failed, and ends with `<name>: N passed, N failed`; answers whether it is good. */
export async function runSuite(name: string, suite: Suite, around: Surroundings): Promise<boolean> {
  const dataFolder = suite.data === undefined ? "" : join(around.sharedFolder, suite.data);
  if (dataFolder !== "" && !(await exists(dataFolder))) {
    around.say(`${name} is passed over: ${dataFolder} does not exist.`);
    around.say("Set MAINSTAY_CONFORMANCE_DIR to the folder of the shared suites.");
    around.say(`${name}: 0 passed, 0 failed`);
    return !around.isCi;
  }
  await around.install(suite.debianPackages ?? []);
  const results = await suite.run({ dataFolder, repositoryFolder: around.repositoryFolder });
  return report(name, results, around.say);
}

function report(name: string, results: CaseResult[], say: (line: string) => void): boolean {
  const failures = results.filter((each) => each.failure !== null);
  for (const each of failures.slice(0, SHOWN_FAILURES)) say(`FAILED ${each.name}: ${each.failure}`);
  if (failures.length > SHOWN_FAILURES) say(`… and ${failures.length - SHOWN_FAILURES} more`);
  say(`${name}: ${results.length - failures.length} passed, ${failures.length} failed`);
  return failures.length === 0 && results.length > 0;
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
