import { randomBytes } from "node:crypto";
import { platformFile } from "@mainstay/api";
import { createKey, createKeyring, formatKey } from "@mainstay/vault";
import { createKeySource, createSealer, openKeys, type HeldKeys } from "../../server/src/core/secrets/index.ts";
import { createSystemClock } from "../../server/src/kernel/clock.ts";
import type { Database } from "../../server/src/kernel/database/index.ts";

/** A vault that was opened for the first time, with a key that is nowhere but here. */
export async function createTestKeys(db: Database): Promise<HeldKeys> {
  const settings = { ...platformFile.parse({}).secrets, key: formatKey(createKey(randomBytes)) };
  const source = createKeySource({ settings, dataDirectory: "/nonexistent", random: randomBytes });
  return openKeys({ db, clock: createSystemClock(), source });
}

/** A sealer without a database, for rooms that seal. */
export function createTestSealer() {
  const key = createKey(randomBytes);
  const keyring = createKeyring({ keys: [key], activeId: key.id });
  return createSealer({ keyring: () => keyring, random: randomBytes });
}
