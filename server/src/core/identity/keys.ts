import { AppError, isPermission, type KeyResource, type NewKey, type ShownKey } from "@mainstay/api";
import type { Tx } from "../../kernel/database/index.ts";
import type { Actor, Authenticated, Origin } from "../../kernel/http/index.ts";
import type { Random } from "../../kernel/ids.ts";
import { grantedBy, type AccessPage } from "./access-book.ts";
import type { GrantRow, KeyRow, Owner } from "./access-store.ts";
import { explainRange } from "./address-ranges.ts";
import {
  alter,
  assertAdminRemains,
  demandHeld,
  permissionsIn,
  type AccessDependencies,
} from "./alteration.ts";
import { hashApiKey, makeApiKey } from "./domain/api-key.ts";
import { confineTo, isConfinedTo } from "./key-confinement.ts";

const KEYS_MAX = 2_000;

export type Keys = ReturnType<typeof createKeys>;
type Asker = Pick<Authenticated, "actor" | "can">;

/** API keys: what programs show in place of a person. */
export function createKeys(dependencies: AccessDependencies & { random: Random }) {
  const { store, book, audit, clock, ids, random } = dependencies;

  /** Whose a key becomes that somebody makes without saying more. */
  function ownerFor(page: AccessPage, { type, id }: Actor): Owner | null {
    if (type === "user") return { type, id };
    return page.keys.find((row) => row.id === id)?.owner ?? null;
  }

  function isOwn(page: AccessPage, { actor }: Asker, key: KeyRow): boolean {
    if (actor.type === "key" && actor.id === key.id) return true;
    const owner = ownerFor(page, actor);
    return owner !== null && owner.type === key.owner?.type && owner.id === key.owner.id;
  }

  /** One's own; those of others need access.read on the whole platform. */
  async function list(asker: Asker): Promise<KeyResource[]> {
    const page = await book.page();
    const rows = page.keys.filter((row) => asker.can("access.read") || isOwn(page, asker, row));
    return rows.map((row) => toKey(page, row));
  }

  /** Throws NOT_FOUND for a key that one may not see, and PERMISSION_DENIED for one that one may only see. */
  async function demandOwn(id: string, asker: Asker): Promise<void> {
    const page = await book.refresh();
    const row = page.keys.find((each) => each.id === id);
    if (row && (isOwn(page, asker, row) || asker.can("access.write"))) return;
    if (!row || !asker.can("access.read")) throw new AppError("NOT_FOUND", { what: `key ${id}` });
    throw new AppError("PERMISSION_DENIED", { permission: "access.write", scope: "keys of others" });
  }

  /**
   * Whoever is shown a key's new secret can use it: unless the key is their own, they have to hold all that
   * was granted to it, and a key that asks must not be confined more than the other. Throws GRANT_EXCEEDS.
   */
  async function demandNoWider(id: string, { actor, can }: Asker): Promise<void> {
    const page = await book.page();
    const row = page.keys.find((each) => each.id === id);
    const isTheirs = actor.type === "key" ? actor.id === id : row?.owner?.id === actor.id;
    if (!row || isTheirs) return;
    const grants = page.grants.filter((each) => each.subject_type === "key" && each.subject_id === id);
    for (const grant of grants) demandHeld(can, grantedBy(page, grant), grant);
    const asking = keyOf(page, actor);
    if (asking && !isConfinedTo(asking, row))
      throw new AppError("GRANT_EXCEEDS", {
        permissions: "another end or other addresses",
        scope: `key ${id}`,
      });
  }

  const keyOf = (page: AccessPage, { type, id }: Actor): KeyRow | null =>
    (type === "key" && page.keys.find((row) => row.id === id)) || null;

  async function create(wish: NewKey, asker: Asker, origin: Origin): Promise<ShownKey> {
    const { environment, service } = wish;
    for (const range of wish.allowedAddresses) {
      const reason = explainRange(range);
      if (reason !== null) throw new AppError("KEY_ADDRESSES", { reason });
    }
    const page = await book.page();
    const { id, text, row: wished } = draft(wish, chooseOwner(page, wish, asker), origin);
    const maker = keyOf(page, asker.actor);
    const row = maker ? { ...wished, ...confineTo(maker, wished) } : wished;
    const grant: GrantRow = {
      ...{ id: ids.next("grt"), subject_type: "key", subject_id: id, role: wish.role ?? null },
      ...{ permissions: wish.permissions ? [...new Set(wish.permissions)].toSorted() : null },
      ...{ environment, service, created_at: clock.now(), created_by: origin.actor },
    };
    await alter(dependencies, async (tx) => {
      const permissions = wish.permissions ?? (await permissionsIn(store, tx, wish.role ?? ""));
      demandHeld(asker.can, permissions, { environment, service });
      await demandRoom(tx, row.name);
      await store.insertKey(tx, row);
      await store.insertGrant(tx, grant);
      const after = { ...outlineOf(row), ...(wish.role ? { role: wish.role } : { permissions }) };
      await record(tx, {
        row,
        origin,
        action: "identity.key_created",
        after,
        scope: { environment, service },
      });
    });
    return { key: await show(id), secret: text };
  }

  function chooseOwner(page: AccessPage, { owner }: NewKey, asker: Asker): Owner | null {
    if (owner === undefined) return ownerFor(page, asker.actor);
    if (!asker.can("access.write"))
      throw new AppError("PERMISSION_DENIED", { permission: "access.write", scope: "keys of others" });
    if (owner === "platform") return null;
    if (owner.type === "team" && !page.teams.some(({ name }) => name === owner.id))
      throw new AppError("NOT_FOUND", { what: `team ${owner.id}` });
    return owner;
  }

  function draft(wish: NewKey, owner: Owner | null, origin: Origin) {
    const key = makeApiKey(random);
    const now = clock.now();
    const { expiresInSeconds: seconds } = wish;
    const row: KeyRow = {
      ...{ id: key.id, name: wish.name, hash: hashApiKey(key), owner, created_at: now },
      created_by: origin.actor,
      expires_at: seconds === null ? null : new Date(now.getTime() + seconds * 1000),
      ...{ allowed_addresses: wish.allowedAddresses, step_up_exempt: wish.stepUpExempt, revoked_at: null },
      ...{ previous_hash: null, previous_until: null, last_used_at: null, last_used_from: null },
    };
    return { ...key, row };
  }

  async function demandRoom(tx: Tx, name: string): Promise<void> {
    const same = await store.keysNamed(tx, name);
    if (same.some((row) => row.revoked_at === null))
      throw new AppError("ACCESS_EXISTS", { what: `key ${name}` });
    const count = await store.countKeys(tx);
    if (count >= KEYS_MAX) throw new AppError("ACCESS_LIMIT", { count, what: "keys" });
  }

  /** A new secret for the same key; the one before is accepted for as long as is said, or not at all. */
  async function rotate(id: string, overlapSeconds: number, origin: Origin): Promise<ShownKey> {
    const fresh = makeApiKey(random, id);
    await alter(dependencies, async (tx) => {
      const row = await mustBeUsable(tx, id);
      const until = overlapSeconds === 0 ? null : new Date(clock.now().getTime() + overlapSeconds * 1000);
      await store.updateKey(tx, id, {
        hash: hashApiKey(fresh),
        previous_hash: until === null ? null : row.hash,
        previous_until: until,
      });
      const after = { name: row.name, overlapSeconds };
      await record(tx, { row, origin, action: "identity.key_rotated", after });
    });
    return { key: await show(id), secret: fresh.text };
  }

  async function revoke(id: string, origin: Origin): Promise<KeyResource> {
    await alter(dependencies, async (tx) => {
      const row = await mustBeUsable(tx, id);
      await store.updateKey(tx, id, { revoked_at: clock.now() });
      if (row.owner === null) await assertAdminRemains(store, tx);
      await record(tx, { row, origin, action: "identity.key_revoked", before: outlineOf(row) });
    });
    return show(id);
  }

  async function mustBeUsable(tx: Tx, id: string): Promise<KeyRow> {
    const row = await store.key(tx, id);
    if (!row || row.revoked_at !== null) throw new AppError("NOT_FOUND", { what: `key ${id}` });
    return row;
  }

  async function show(id: string): Promise<KeyResource> {
    const page = await book.page();
    const row = page.keys.find((each) => each.id === id);
    if (!row) throw new AppError("NOT_FOUND", { what: `key ${id}` });
    return toKey(page, row);
  }

  async function record(tx: Tx, entry: KeyEntry): Promise<void> {
    const { row, origin, action, before, after, scope } = entry;
    await audit.record(tx, {
      ...origin,
      ...{ action, resource: { type: "key", id: row.id }, before, after },
      ...scope,
    });
  }

  return { list, demandOwn, demandNoWider, create, rotate, revoke };
}

interface KeyEntry {
  row: KeyRow;
  origin: Origin;
  action: string;
  before?: Record<string, unknown>;
  after?: Record<string, unknown>;
  scope?: { environment: string | null; service: string | null };
}

function outlineOf({ name, owner, expires_at, allowed_addresses, step_up_exempt }: KeyRow) {
  return {
    ...{ name, owner, expiresAt: expires_at?.toISOString() ?? null },
    ...{ allowedAddresses: allowed_addresses, stepUpExempt: step_up_exempt },
  };
}

function toKey(page: AccessPage, row: KeyRow): KeyResource {
  const grants = page.grants.filter((each) => each.subject_type === "key" && each.subject_id === row.id);
  const { id, name, owner } = row;
  return {
    ...{ id, name, owner, allowedAddresses: row.allowed_addresses, stepUpExempt: row.step_up_exempt },
    grants: grants.map((grant) => {
      const { role, environment, service } = grant;
      return {
        id: grant.id,
        role,
        environment,
        service,
        permissions: grantedBy(page, grant).filter(isPermission),
      };
    }),
    expiresAt: row.expires_at?.toISOString() ?? null,
    revokedAt: row.revoked_at?.toISOString() ?? null,
    lastUsedAt: row.last_used_at?.toISOString() ?? null,
    lastUsedFrom: row.last_used_from,
    ...{ createdAt: row.created_at.toISOString(), createdBy: row.created_by },
  };
}
