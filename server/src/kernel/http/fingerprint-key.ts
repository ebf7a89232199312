import { sql } from "kysely";
import type { Database } from "../database/index.ts";
import type { Random } from "../ids.ts";

/** Seals for one place; it opens nowhere else. */
interface Sealing {
  seal(place: readonly [table: string, column: string, row: string], plaintext: Uint8Array): Uint8Array;
  open(place: readonly [table: string, column: string, row: string], sealed: Uint8Array): Uint8Array;
}

export interface FingerprintKeyDependencies {
  db: Database;
  sealer: Sealing;
  random: Random;
}

const KEY_BYTES = 32;
const ID = "requests";
/** Where it lies, for rotations. */
export const SEALED_FINGERPRINT_KEY = {
  ...{ table: "kernel_http.fingerprint_keys", column: "sealed_key", key: "id" },
};
const PLACE = [SEALED_FINGERPRINT_KEY.table, SEALED_FINGERPRINT_KEY.column, ID] as const;

/**
 * The key of this installation under which requests are remembered: made once, the same for every server. A
 * copy of the database does not tell whether somebody sent a guessed body, as a plain digest would.
 */
export function createFingerprintKey({ db, sealer, random }: FingerprintKeyDependencies) {
  let known: Promise<Uint8Array> | null = null;

  async function load(): Promise<Uint8Array> {
    const made = Buffer.from(sealer.seal(PLACE, random(KEY_BYTES)));
    await sql`insert into kernel_http.fingerprint_keys (id, sealed_key) values (${ID}, ${made})
      on conflict do nothing`.execute(db);
    const { rows } = await sql<{ sealed: Buffer }>`
      select sealed_key as sealed from kernel_http.fingerprint_keys where id = ${ID}`.execute(db);
    if (rows[0] === undefined) throw new Error("the key of fingerprints is not there");
    return sealer.open(PLACE, rows[0].sealed);
  }

  return (): Promise<Uint8Array> => {
    known ??= load().catch((error: unknown) => {
      known = null;
      throw error;
    });
    return known;
  };
}
