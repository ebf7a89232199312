import { AppError, type Permission } from "@mainstay/api";
import type { Clock } from "../../kernel/clock.ts";
import type { Database } from "../../kernel/database/index.ts";
import type { Authenticated, Headers } from "../../kernel/http/index.ts";
import type { Random } from "../../kernel/ids.ts";
import type { Audit } from "../audit/index.ts";
import { hashApiKey, isSameKey, makeApiKey, readApiKey } from "./domain/api-key.ts";
import { adminKeyFile, writeKeyFile } from "./key-file.ts";
import { createIdentityStore, type Role } from "./store.ts";

export interface IdentityDependencies {
  db: Database;
  clock: Clock;
  random: Random;
  audit: Audit;
  dataDirectory: string;
}

export interface Identity {
  /**
   * Makes the admin key when the database has none, and writes it to keys/admin.key in the data directory.
   * Answers the key when it was made now, to be shown this once; null when it was there.
   */
  ensureAdminKey(): Promise<string | null>;
  /** Whether somebody holds a role. */
  holdsRole(actor: { type: string; id: string }, role: string): Promise<boolean>;
  /** Who sent the request. Null without a key; throws UNAUTHENTICATED that says what is wrong with one. */
  authenticate(request: { headers: Headers }): Promise<Authenticated | null>;
}

const ADMIN_KEY_NAME = "admin";
const SYSTEM = { type: "system", id: "mainstay", name: "Mainstay" };

/** Who may use the platform. */
export function createIdentity({ db, clock, random, audit, dataDirectory }: IdentityDependencies): Identity {
  const store = createIdentityStore(db);

  async function ensureAdminKey(): Promise<string | null> {
    const key = makeApiKey(random);
    const row = { id: key.id, name: ADMIN_KEY_NAME, role: "admin" as const, created_at: clock.now() };
    const isNew = await db.transaction().execute(async (tx) => {
      if (!(await store.insertKey(tx, { ...row, hash: hashApiKey(key) }))) return false;
      await audit.record(tx, {
        actor: SYSTEM,
        action: "identity.key_created",
        resource: { type: "key", id: key.id },
        after: { name: row.name, role: row.role },
        reason: "first start",
      });
      // Before the commit: a key that nobody could learn must not be the only one.
      await writeKeyFile(adminKeyFile(dataDirectory), key.text);
      return true;
    });
    return isNew ? key.text : null;
  }

  async function holdsRole(actor: { type: string; id: string }, role: string): Promise<boolean> {
    return actor.type === "key" && (await store.key(actor.id))?.role === role;
  }

  async function authenticate({ headers }: { headers: Headers }): Promise<Authenticated | null> {
    const text = bearerOf(headers["authorization"]);
    if (text === null) return null;
    const read = readApiKey(text);
    if (read.kind === "foreign") throw refusal("this is no Mainstay key: those begin with mk_");
    if (read.kind === "mistyped") throw refusal("the key is mistyped or cut off: its checksum does not fit");
    const row = await store.key(read.key.id);
    if (!row || !isSameKey(read.key, row.hash)) throw refusal("the key is not known to this server");
    return {
      actor: { type: "key", id: row.id, name: row.name },
      can: (permission) => can(row.role, permission),
      session: null,
      key: { id: row.id, isStepUpExempt: true },
    };
  }

  return { ensureAdminKey, holdsRole, authenticate };
}

/** Whether the holder of a role may do something. An administrator may do everything. */
function can(role: Role, _permission: Permission): boolean {
  return role === "admin";
}

/** RFC 6750 §2.1; the scheme's name in any case: RFC 9110 §11.1. */
function bearerOf(header: string | string[] | undefined): string | null {
  if (typeof header !== "string") return null;
  return /^Bearer +(\S+) *$/i.exec(header)?.[1] ?? null;
}

function refusal(message: string): AppError {
  return new AppError("UNAUTHENTICATED", {}, { errors: [{ path: "headers.authorization", message }] });
}
