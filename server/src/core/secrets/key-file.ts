import { lstat, mkdir, open, readFile, rename } from "node:fs/promises";
import path from "node:path";
import { AppError } from "@mainstay/api";
import { formatKeys, parseKeys, VaultError, type Key } from "@mainstay/vault";
import { reasonOf } from "../../kernel/reason-of.ts";

const HEAD = `# The keys of all that is sealed in the database. Whoever reads this file can read that;
# without it nobody can. Keep a copy elsewhere: mainstay secrets recovery-key export
`;

/** Where the keys lie unless the configuration says otherwise. */
export function usualKeyFile(dataDirectory: string): string {
  return path.join(dataDirectory, "keys", "wrapping.key");
}

/**
 * The keys of a key file (docs/formats/vault.md); none when there is no such file. Throws SECRETS_KEY_FILE.
 */
export async function readKeyFile(file: string): Promise<Key[]> {
  try {
    const facts = await lstat(file);
    if ((facts.mode & 0o007) !== 0) throw refusal(file, "other accounts may read it (chmod o= mends that)");
    return parseKeys(await readFile(file, "utf8"));
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
    if (error instanceof AppError) throw error;
    const isOurs = error instanceof VaultError;
    throw refusal(file, isOurs ? error.message : describe(error), error);
  }
}

/** Replaces the file whole or not at all, for its owner alone. */
export async function writeKeyFile(file: string, keys: readonly Key[]): Promise<void> {
  try {
    await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
    const partial = `${file}.new`;
    const handle = await open(partial, "w", 0o600);
    try {
      await handle.chmod(0o600);
      await handle.writeFile(HEAD + formatKeys(keys));
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(partial, file);
    await using directory = await open(path.dirname(file), "r");
    await directory.sync();
  } catch (error) {
    throw refusal(file, describe(error), error);
  }
}

function refusal(file: string, reason: string, cause?: unknown): AppError {
  return new AppError("SECRETS_KEY_FILE", { file, reason }, { cause });
}

function describe(error: unknown): string {
  if (error instanceof Error && "code" in error) return String(error.code);
  return reasonOf(error);
}
