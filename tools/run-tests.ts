import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

/**
 * `npm test`: unit and integration tests; `npm run e2e` and `npm run faults` name other projects.
 * Everything else goes to vitest as it is: `npm test -- server/src/kernel`, `npm test -- -t "a name"`.
 */
const root = join(import.meta.dirname, "..");
const vitest = join(dirname(createRequire(import.meta.url).resolve("vitest/package.json")), "vitest.mjs");

// Node reads the configuration itself: vite would write a copy into node_modules, which may be read-only.
const command = [vitest, "run", "--configLoader", "native", ...withProjects(process.argv.slice(2))];
const child = spawn(process.execPath, command, {
  cwd: root,
  stdio: "inherit",
});
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => child.kill(signal));
child.on("exit", (code, signal) => {
  process.exitCode = signal === null ? (code ?? 1) : 1;
});

function withProjects(args: string[]): string[] {
  if (args.some((each) => /^(-p|--project)(=|$)/.test(each))) return args;
  return ["--project", "unit", "--project", "integration", ...args];
}
