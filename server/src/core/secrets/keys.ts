import { AppError } from "@mainstay/api";
import { createKeyring, formatKey, keyOf, open, type Key, type Keyring } from "@mainstay/vault";
import type { Clock } from "../../kernel/clock.ts";
import type { Database } from "../../kernel/database/index.ts";
import type { KeySource, SourcedKey } from "./key-source.ts";
import { createSecretsStore, type KeyRow } from "./store.ts";

/** The keys this server has at the moment, and the rule which of them seals. */
export interface HeldKeys {
  keyring(): Keyring;
  source: KeySource;
  /** Takes up what the database and the source say by now. Throws SECRETS_KEY_MISSING. */
  refresh(): Promise<void>;
  /** The line to be written down, when the first key was made just now; null otherwise. */
  recoveryKey: string | null;
}

export interface OpenKeysOptions {
  db: Database;
  clock: Clock;
  source: KeySource;
}

/** Where a new key is sealed for the other servers. */
export const handoverPlace = (id: string) => ["secrets.keys", "sealed_key", id] as const;

/**
 * Opens the vault at the start of a server: finds the key that the database asks for, or begins with one
 * when nothing was ever sealed. Throws SECRETS_KEY_MISSING, SECRETS_KEY_FILE or SECRETS_PASSPHRASE_WRONG.
 */
export async function openKeys({ db, clock, source }: OpenKeysOptions): Promise<HeldKeys> {
  const store = createSecretsStore(db);
  const made = await db.transaction().execute(async (tx) => {
    await store.lockKeys(tx);
    if ((await store.keys(tx)).length > 0) return null;
    const isEmpty = (await source.keys([])).length === 0;
    const { key, lock } = await source.fresh({ ids: [], locks: [] });
    // Before the commit: what is sealed with a key that was lost is lost.
    await source.keep(key);
    const row = { id: key.id, state: "active" as const, lock, sealed_key: null };
    await store.insertKey(tx, { ...row, created_at: clock.now() });
    return isEmpty && lock === null ? key : null;
  });

  let keyring = await read();

  async function read(): Promise<Keyring> {
    const [rows, { generation }] = await Promise.all([store.keys(), store.vault()]);
    const used = rows.filter(({ state }) => state !== "retired");
    const sourced = await source.keys(used.flatMap(({ lock }) => lock ?? []));
    const keys = withHandedOver(sourced, used);
    const active = used.find(({ state }) => state === "active");
    mustHave(keys, active, source);
    for (const each of used) {
      const key = keys.find(({ id }) => id === each.id);
      if (key && each.lock === null) await source.keep(key);
    }
    await source.forget(rows.filter(({ state }) => state === "retired").map(({ id }) => id));
    return createKeyring({ keys, activeId: active.id, generation });
  }

  return {
    source,
    recoveryKey: made === null ? null : formatKey(made),
    keyring: () => keyring,
    async refresh() {
      keyring = await read();
    },
  };
}

/** The keys that count, those that another server has left here sealed under one of ours among them. */
function withHandedOver(sourced: readonly SourcedKey[], rows: readonly KeyRow[]): Key[] {
  const keys = new Map(sourced.map(({ key }) => [key.id, key]));
  for (const { id, sealed_key: sealed } of rows) {
    const own = [...keys.values()];
    const [first] = own;
    if (keys.has(id) || sealed === null || first === undefined) continue;
    const keyring = createKeyring({ keys: own, activeId: first.id });
    keys.set(id, keyOf(open({ keyring, context: handoverPlace(id) }, sealed)));
  }
  const known = new Set(rows.map(({ id }) => id));
  return [...keys.values()].filter(({ id }) => known.has(id));
}

function mustHave(
  keys: readonly Key[],
  active: KeyRow | undefined,
  source: KeySource,
): asserts active is KeyRow {
  if (active && keys.some(({ id }) => id === active.id)) return;
  if (active?.lock) throw new AppError("SECRETS_PASSPHRASE_WRONG", { where: source.name });
  throw new AppError("SECRETS_KEY_MISSING", { key: active?.id ?? "none", where: source.name });
}
