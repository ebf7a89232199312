import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { createKey, createKeyring, formatKeys, open, parseKeys, seal, type Keyring } from "@mainstay/vault";
import type { Sealer } from "./core/identity/index.ts";
import type { Random } from "./kernel/ids.ts";

/** Seals under a key in keys/identity.key of the data directory, made when it is needed first. */
export function createFileSealer(options: { dataDirectory: string; random: Random }): Sealer {
  const { random } = options;
  const file = path.join(options.dataDirectory, "keys", "identity.key");
  let known: Keyring | null = null;

  function keyring(): Keyring {
    known ??= readKeyring();
    return known;
  }

  function readKeyring(): Keyring {
    mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
    try {
      writeFileSync(file, formatKeys([createKey(random)]), { flag: "wx", mode: 0o600 });
      chmodSync(file, 0o600);
    } catch (error) {
      const isThere = error instanceof Error && "code" in error && error.code === "EEXIST";
      if (!isThere) throw error;
    }
    const keys = parseKeys(readFileSync(file, "utf8"));
    return createKeyring({ keys, activeId: keys[0]?.id ?? "" });
  }

  return {
    seal: (context, plaintext) => seal({ keyring: keyring(), random, context }, plaintext),
    open: (context, sealed) => open({ keyring: keyring(), context }, sealed),
  };
}
