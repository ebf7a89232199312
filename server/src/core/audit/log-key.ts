import { chmod, readFile } from "node:fs/promises";
import path from "node:path";
import { createNoteKey, type NoteKey } from "@mainstay/tlog";
import type { Random } from "../../kernel/ids.ts";
import { makeFolder, writeDurably } from "./log-files.ts";

const SEED_BYTES = 32;

export interface KeyFile {
  /** Both halves. Null when there is no such file. */
  read(): Promise<NoteKey | null>;
  /** Makes the key, for the account of the server alone, and answers both halves. */
  make(name: string, type?: "ed25519" | "cosignature/v1"): Promise<NoteKey>;
}

/**
 * A signing key in a file of its own, apart from the database and from the keys that encrypt data: whoever
 * gets hold of a dump, or may write SQL, cannot sign another history.
 */
export function createKeyFile(file: string, random: Random): KeyFile {
  return {
    async read() {
      try {
        return parseSecret((await readFile(file, "utf8")).trim(), file);
      } catch (error) {
        if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
        throw error;
      }
    },
    async make(name, type = "ed25519") {
      const key = createNoteKey(name, random(SEED_BYTES), type);
      await makeFolder(path.dirname(file), 0o700);
      await writeDurably(file, `${key.skey}\n`, 0o600);
      await chmod(file, 0o600);
      return key;
    },
  };
}

const TYPES = { 1: "ed25519", 4: "cosignature/v1" } as const;

/** The public half follows from the secret one: `PRIVATE+KEY+<name>+<id>+<base64 of type and seed>`. */
function parseSecret(skey: string, file: string): NoteKey {
  const [, name = "", base64 = ""] = /^PRIVATE\+KEY\+([^+]+)\+[0-9a-f]{8}\+(.+)$/.exec(skey) ?? [];
  const [type = 0, ...seed] = Buffer.from(base64, "base64");
  if ((type !== 1 && type !== 4) || seed.length !== SEED_BYTES)
    throw new Error(`${file} does not hold a signing key: bring it back from a backup`);
  return createNoteKey(name, Uint8Array.from(seed), TYPES[type]);
}
