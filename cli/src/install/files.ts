import { mkdir, open, readFile, readlink, rename, rm, stat, symlink } from "node:fs/promises";
import path from "node:path";
import type { Machine } from "./machine.ts";

export interface Written {
  text: string;
  mode: number;
  /** As chown takes it. */
  owner?: string;
}

/** The text of a file; null where there is none. */
export async function textOf(machine: Machine, file: string): Promise<string | null> {
  return readFile(machine.path(file), "utf8").catch(() => null);
}

/** Writes a file whole or not at all, closed to others before its text is in it. */
export async function writeWhole(
  machine: Machine,
  file: string,
  { text, mode, owner }: Written,
): Promise<void> {
  const target = machine.path(file);
  const partial = `${target}.new`;
  await mkdir(path.dirname(target), { recursive: true });
  await rm(partial, { force: true });
  const handle = await open(partial, "wx", 0o600);
  try {
    await handle.writeFile(text);
    if (owner !== undefined) await machine.chown(`${file}.new`, owner);
    await handle.chmod(mode);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(partial, target);
}

/** Lets a link lead elsewhere, in one move. */
export async function pointLink(machine: Machine, link: string, target: string): Promise<void> {
  const partial = `${machine.path(link)}.new`;
  await rm(partial, { force: true });
  await symlink(target, partial);
  await rename(partial, machine.path(link));
}

/** Whether a link leads there already. */
export async function isLinked(machine: Machine, link: string, target: string): Promise<boolean> {
  return (await readlink(machine.path(link)).catch(() => null)) === target;
}

/** Whether something is there. */
export async function isThere(machine: Machine, file: string): Promise<boolean> {
  return stat(machine.path(file)).then(
    () => true,
    () => false,
  );
}
