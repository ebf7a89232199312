import type { Random } from "../../kernel/ids.ts";
import type { KeyRow } from "./access-store.ts";
import { alter, type AccessDependencies } from "./alteration.ts";
import { hashApiKey, makeApiKey, type ApiKey } from "./domain/api-key.ts";
import type { Grants } from "./grants.ts";
import { adminKeyFile, writeKeyFile } from "./key-file.ts";

const ADMIN_KEY_NAME = "admin";
const SYSTEM = { type: "system", id: "mainstay", name: "Mainstay" };
const ORIGIN = { actor: SYSTEM, requestId: null, address: null };

export interface AdminKeyDependencies extends AccessDependencies {
  random: Random;
  dataDirectory: string;
  grants: Pick<Grants, "insert">;
}

/**
 * Makes the admin key when there never was one, and writes it to keys/admin.key in the data directory. Answers the
 * key when it was made now, to be shown this once; null when it was there.
 */
export async function ensureAdminKey(dependencies: AdminKeyDependencies): Promise<string | null> {
  const { store, audit, clock, random, dataDirectory, grants } = dependencies;
  const key = makeApiKey(random);
  const isNew = await alter(dependencies, async (tx) => {
    if ((await store.keysNamed(tx, ADMIN_KEY_NAME)).length > 0) return false;
    await store.insertKey(tx, draft(key, clock.now()));
    await audit.record(tx, {
      ...ORIGIN,
      action: "identity.key_created",
      resource: { type: "key", id: key.id },
      after: { name: ADMIN_KEY_NAME, role: "admin" },
      reason: "first start",
    });
    await grants.insert(tx, { subject: { type: "key", id: key.id }, role: "admin" }, ORIGIN);
    // Before the commit: a key that nobody could learn must not be the only one.
    await writeKeyFile(adminKeyFile(dataDirectory), key.text);
    return true;
  });
  return isNew ? key.text : null;
}

function draft(key: ApiKey, now: Date): KeyRow {
  return {
    ...{ id: key.id, name: ADMIN_KEY_NAME, hash: hashApiKey(key), owner: null, created_at: now },
    ...{
      created_by: SYSTEM,
      expires_at: null,
      allowed_addresses: [],
      step_up_exempt: true,
      revoked_at: null,
    },
    ...{ previous_hash: null, previous_until: null, last_used_at: null, last_used_from: null },
  };
}
