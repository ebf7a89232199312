import { globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import {
  findDifferences,
  findLicences,
  findScripts,
  findSources,
  type Manifest,
} from "./supply-chain/findings.ts";
import { parseLockfile, productionPackages } from "./supply-chain/lockfile.ts";

/**
 * Where everything that is not ours comes from, whether
 * it may be used, and that nothing of it runs by itself.
 */
const root = join(import.meta.dirname, "..");
const read = (file: string) => readFileSync(join(root, file), "utf8");

const lockfile = parseLockfile(read("package-lock.json"));
const { workspaces }: { workspaces: string[] } = JSON.parse(read("package.json"));
const files = [
  "package.json",
  ...globSync(
    workspaces.map((each) => `${each}/package.json`),
    { cwd: root },
  ),
];
const manifests = new Map(
  files.map((file): [string, Manifest] => [
    dirname(file) === "." ? "" : dirname(file),
    JSON.parse(read(file)),
  ]),
);
const shipped = productionPackages(lockfile);

const findings = [
  ...findSources(lockfile),
  ...findDifferences(lockfile, manifests),
  ...findLicences(shipped),
  ...findScripts(shipped),
];
for (const finding of findings) console.log(finding);
console.log(`${shipped.size} packages are shipped, of ${lockfile.size} that are locked`);
process.exitCode = findings.length > 0 ? 1 : 0;
