import { createHash } from "node:crypto";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import path from "node:path";
import { z } from "zod";
import { CliError, EXIT } from "../cli-error.ts";
import { remotesPath } from "../remotes.ts";

const keptFile = z.object({ url: z.string(), vkey: z.string(), note: z.string() });
/** What this account has seen and verified of the log of a server. */
export type KeptCheckpoint = z.infer<typeof keptFile>;

/** `~/.config/mainstay/audit/<hash of the URL>.json`: the newest checkpoint that was verified from here. */
export function keptPath(url: string, env: NodeJS.ProcessEnv): string {
  const name = createHash("sha256").update(url).digest("hex").slice(0, 16);
  return path.join(path.dirname(remotesPath(env)), "audit", `${name}.json`);
}

/** Null the first time. */
export async function readKept(file: string): Promise<KeptCheckpoint | null> {
  const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return null;
    throw error;
  });
  if (text === null) return null;
  const parsed = keptFile.safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  throw new CliError(`${file} cannot be read`, EXIT.failed, "Bring it back from a backup, or give --since.");
}

export async function writeKept(file: string, kept: KeptCheckpoint): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
  await writeFile(`${file}.new`, `${JSON.stringify(kept, null, 2)}\n`, { mode: 0o600 });
  await rename(`${file}.new`, file);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
