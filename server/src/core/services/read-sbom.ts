import { readFile, stat } from "node:fs/promises";
import path from "node:path";
import { z } from "zod";
import { readLockfile, type LockedPackage } from "./domain/lockfile.ts";
import { makeSbom, type Sbom } from "./domain/sbom.ts";

/** What is installed comes before what was planned; npm itself reads the shrinkwrap first. */
const LOCKFILES = ["node_modules/.package-lock.json", "npm-shrinkwrap.json", "package-lock.json"];
const LOCKFILE_LIMIT_BYTES = 64 * 1024 ** 2;

const names = z.record(z.string(), z.unknown()).default({});
const packageFile = z.object({
  name: z.string().catch("release"),
  version: z.string().catch("0.0.0"),
  dependencies: names,
  optionalDependencies: names,
});

/** What the files of a release say that it is made of; null when they say nothing. */
export async function readSbom(directory: string, digest: string): Promise<Sbom | null> {
  const found = await findPackages(directory);
  if (!found) return null;
  const text = await readFile(path.join(directory, "package.json"), "utf8").catch(() => "{}");
  const parsed = packageFile.safeParse(parseJson(text));
  const root = parsed.success ? parsed.data : packageFile.parse({ name: "release", version: "0.0.0" });
  const needs = Object.keys({ ...root.dependencies, ...root.optionalDependencies });
  const { name, version } = root;
  return makeSbom({ digest, name, version, needs, readFrom: found.file }, found.packages);
}

async function findPackages(directory: string): Promise<{ file: string; packages: LockedPackage[] } | null> {
  for (const file of LOCKFILES) {
    const packages = await readPackages(path.join(directory, file));
    if (packages) return { file, packages };
  }
  return null;
}

async function readPackages(file: string): Promise<LockedPackage[] | null> {
  const stats = await stat(file).catch(() => null);
  if (!stats?.isFile() || stats.size > LOCKFILE_LIMIT_BYTES) return null;
  return readLockfile(await readFile(file, "utf8"));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
