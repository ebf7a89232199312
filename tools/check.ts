import { join } from "node:path";
import { formatResult, runCheck, runChecks, type Check } from "./check/run-checks.ts";

/** `npm run check`: what can be said about the code without running it; `-- --fix` mends what can be. */
const root = join(import.meta.dirname, "..");
process.chdir(root);

const node = process.execPath;
const bin = (name: string) => join(root, "node_modules/.bin", name);

const CHECKS: Check[] = [
  { name: "types", command: [bin("tsc"), "-p", "."] },
  { name: "lint", command: [bin("oxlint"), "--deny-warnings"], fix: [bin("oxlint"), "--fix"] },
  { name: "unused", command: [bin("knip"), "--no-progress"] },
  { name: "tidy", command: [node, "tools/tidy.ts"], fix: [node, "tools/tidy.ts", "--fix"] },
  { name: "generated", command: [node, "tools/generate.ts", "--check"], fix: [node, "tools/generate.ts"] },
  { name: "supply", command: [node, "tools/supply-chain.ts"] },
  { name: "format", command: [bin("oxfmt"), "--check"], fix: [bin("oxfmt")] },
];

if (process.argv.includes("--fix")) {
  for (const check of CHECKS) if (check.fix) await runCheck(check.name, check.fix);
}

const results = await runChecks(CHECKS, (result) => console.log(formatResult(result)));
const failed = results.filter((result) => !result.ok).length;
console.log(`\ncheck: ${results.length - failed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
