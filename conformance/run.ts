import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { installDebianPackages } from "../tools/debian-packages.ts";
import { listSuites, runSuite } from "./run-suite.ts";
import type { Suite } from "./suite.ts";

/** `npm run conformance -- <suite>`, or `-- --list`: agreement with suites and programs that others wrote. */
const [name] = process.argv.slice(2);
const suites = await listSuites(import.meta.dirname);

if (name === "--list") {
  console.log(suites.join("\n"));
} else if (name === undefined || !suites.includes(name)) {
  console.error(`Usage: npm run conformance -- <suite>, one of: ${suites.join(", ")}`);
  process.exitCode = 2;
} else {
  const path = join(import.meta.dirname, name, "suite.ts");
  const { suite }: { suite: Suite } = await import(pathToFileURL(path).href);
  const repositoryFolder = join(import.meta.dirname, "..");
  console.log(suite.about);
  const isGood = await runSuite(name, suite, {
    repositoryFolder,
    sharedFolder: process.env["MAINSTAY_CONFORMANCE_DIR"] ?? join(repositoryFolder, "../shared/conformance"),
    isCi: process.env["CI"] === "true",
    install: installDebianPackages,
    say: (line) => console.log(line),
  });
  process.exitCode = isGood ? 0 : 1;
}
