import { execFile } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { flushCompileCache } from "node:module";
import { join } from "node:path";

/** The argument of an entry that is only to be loaded. */
const COMPILE = "--compile";
const LIMIT_MS = 60_000;

/**
 * Has the code of these entries compiled into Node's cache, once for each place it lies in, before anything
 * runs from it: a process that has to strip types itself holds 16 MB for it as long as it lives.
 */
export async function compileAhead(entries: string[], cacheDirectory: string): Promise<void> {
  const file = join(cacheDirectory, "compiled.json");
  const wanted = JSON.stringify({ node: process.version, entries });
  if ((await readFile(file, "utf8").catch(() => null)) === wanted) return;
  await Promise.all(entries.map((entry) => compile(entry, cacheDirectory)));
  await mkdir(cacheDirectory, { recursive: true });
  await writeFile(file, wanted);
}

/** One that fails fails again when it is meant: there it is said. */
function compile(entry: string, cacheDirectory: string): Promise<void> {
  // It loads and ends: there is nothing else it needs to know.
  const env = { NODE_COMPILE_CACHE: cacheDirectory };
  return new Promise((resolve) => {
    execFile(process.execPath, [entry, COMPILE], { env, timeout: LIMIT_MS }, () => resolve());
  });
}

/** To be the first act of an entry, behind its imports: ends the process that was started to compile it. */
export function endIfCompiling(): void {
  if (process.argv.at(-1) !== COMPILE) return;
  flushCompileCache();
  process.exit(0);
}
