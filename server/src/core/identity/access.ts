import type { Subject } from "@mainstay/api";
import type { LongRunning } from "../../kernel/actors.ts";
import type { Clock } from "../../kernel/clock.ts";
import type { Database, DatabaseHandle, Tx } from "../../kernel/database/index.ts";
import type { Can, Credentials, Authenticated, Origin } from "../../kernel/http/index.ts";
import type { Ids, Random } from "../../kernel/ids.ts";
import type { Log } from "../../kernel/log.ts";
import type { Audit } from "../audit/index.ts";
import { createAccessBook } from "./access-book.ts";
import { createAccessStore } from "./access-store.ts";
import { assertAdminRemains } from "./alteration.ts";
import { bearerOf } from "./bearer.ts";
import { createGrants } from "./grants.ts";
import { createKeyCheck } from "./key-check.ts";
import { createKeyUsage } from "./key-usage.ts";
import { createKeys } from "./keys.ts";
import { createRoles } from "./roles.ts";
import { createTeams } from "./teams.ts";

export interface AccessRoomDependencies {
  db: Database;
  listen: DatabaseHandle["listen"];
  clock: Clock;
  ids: Ids;
  random: Random;
  audit: Audit;
  log: Log;
}

const KEY_START = "mk_";

export type Access = ReturnType<typeof createAccess>;

/** Who may do what: roles, teams, grants and API keys. */
export function createAccess({ db, listen, clock, ids, random, audit, log }: AccessRoomDependencies) {
  const store = createAccessStore(db);
  const book = createAccessBook({ store, listen, log });
  const usage = createKeyUsage({ store, clock, log });
  const check = createKeyCheck({ clock, noteUse: usage.note });
  const shared = { db, clock, ids, audit, store, book };
  const grants = createGrants(shared);
  const follower: LongRunning = { name: "access", start: book.start, stop: book.stop };

  /** What a user, a team or a key may do right now. */
  async function permissionsOf(subject: Subject): Promise<Can> {
    return (await book.page()).canOf(subject);
  }

  /**
   * Who sends an API key. Null when none was sent, or something of another form;
   * throws UNAUTHENTICATED that says what is wrong with one. Asks memory alone.
   */
  async function authenticateKey({ headers, address }: Credentials): Promise<Authenticated | null> {
    const text = bearerOf(headers);
    if (!text?.startsWith(KEY_START)) return null;
    return check(book.pageNow() ?? (await book.page()), text, address);
  }

  /**
   * For users who may do nothing yet, or no more: invited, disabled. To be called in the transaction of that.
   */
  async function suspend(tx: Tx, user: string): Promise<void> {
    await store.alter(tx);
    await store.suspend(tx, { user_id: user, since: clock.now() });
  }

  async function resume(tx: Tx, user: string): Promise<void> {
    await store.alter(tx);
    await store.resume(tx, user);
  }

  /** Takes everything away that a user has, and revokes the keys they own. */
  async function forget(tx: Tx, user: string, origin: Origin): Promise<void> {
    await store.alter(tx);
    const owned = await store.keysOwnedBy(tx, { type: "user", id: user });
    for (const id of owned) await store.updateKey(tx, id, { revoked_at: clock.now() });
    const grantIds = (await store.grantsOf(tx, "user", user)).map(({ id }) => id);
    await store.removeGrantsOf(tx, "user", user);
    await store.removeMembers(tx, { user_id: user });
    await store.resume(tx, user);
    await audit.record(tx, {
      ...origin,
      action: "identity.access_removed",
      resource: { type: "user", id: user },
      before: { grantIds, ownedIds: owned },
    });
  }

  return {
    /** To be started before the server listens: follows what other servers alter. */
    parts: [follower, usage],
    permissionsOf,
    /** What a user will be able to do again, who is invited or disabled. */
    permissionsOnceActive: async (user: string): Promise<Can> => (await book.page()).canOnceActive(user),
    authenticateKey,
    /** For what alters it in this room. */
    shared,
    roles: createRoles(shared),
    teams: createTeams(shared),
    grants,
    keys: createKeys({ ...shared, random }),
    /** In a transaction of somebody else's, who has seen to it that it is permitted. */
    grant: grants.insert,
    ...{ suspend, resume, forget },
    /** Throws LAST_ADMIN when the transaction leaves nobody who may administer the whole platform. */
    assertAdminRemains: (tx: Tx) => assertAdminRemains(store, tx),
    /** After a transaction of one's own that altered anything here: this server goes by it at once. */
    refresh: async () => void (await book.refresh()),
  };
}
