import { randomBytes } from "node:crypto";
import { newKey, type NewKey, type Permission } from "@mainstay/api";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { z } from "zod";
import { openTestDatabase } from "../../../../tests/support/database.ts";
import { silentLog } from "../../../../tests/support/log.ts";
import { waitUntil } from "../../../../tests/support/wait-until.ts";
import { createVirtualClock } from "../../kernel/clock.ts";
import type { DatabaseHandle } from "../../kernel/database/index.ts";
import type { Authenticated, Can } from "../../kernel/http/index.ts";
import { createIds } from "../../kernel/ids.ts";
import { createAudit } from "../audit/index.ts";
import { createAccess, type Access } from "./access.ts";
import { makeApiKey } from "./domain/api-key.ts";

const clock = createVirtualClock(Date.parse("2026-11-21T10:00:00Z"));
const ids = createIds({ clock, random: randomBytes });
const HERE = "192.0.2.7";
const SHOP = { environment: "staging", service: "shop" };
const BILLING = { environment: "production", service: "billing" };
const everything: Can = () => true;
const ROOT = { actor: { type: "key", id: "root", name: "root" }, requestId: "req_1", address: HERE };
const by = { origin: ROOT, can: everything };

let database: DatabaseHandle;
let access: Access;
const audit = () => createAudit({ db: database.db, clock, ids });

/** A server on the shared database. */
function createServer(): Access {
  const { db, listen } = database;
  return createAccess({ db, listen, clock, ids, random: randomBytes, audit: audit(), log: silentLog });
}

beforeAll(async () => {
  database = await openTestDatabase();
});
afterAll(() => database.close());

beforeEach(async () => {
  await database.pool.query(
    "truncate identity.grants, identity.api_keys, identity.teams, identity.team_members, identity.roles, identity.suspended_users",
  );
  access = createServer();
});

const user = (id: string) => ({ type: "user", id }) as const;
const grantTo = (id: string, role: string, scope: Partial<typeof SHOP> = {}) =>
  access.grants.add({ subject: user(id), role, ...scope }, by);
const askerOf = async (id: string) => ({
  actor: { type: "user", id, name: id },
  can: await access.permissionsOf(user(id)),
});
const originOf = (id: string) => ({ ...ROOT, actor: { type: "user", id, name: id } });

async function makeKey(
  wish: Partial<z.input<typeof newKey>>,
  asker = "usr_root",
): Promise<{ id: string; secret: string }> {
  const whole: NewKey = newKey.parse({ name: `key-${ids.next("n").slice(-12)}`, ...wish });
  const { key, secret } = await access.keys.create(whole, await askerOf(asker), originOf(asker));
  return { id: key.id, secret };
}

const show = (secret: string, from = HERE, server = access): Promise<Authenticated | null> =>
  server.authenticateKey({ headers: { authorization: `Bearer ${secret}` }, address: from, method: "GET" });
const refused = (message: string) => ({
  code: "UNAUTHENTICATED",
  errors: [{ message: expect.stringContaining(message) }],
});

describe("grants", () => {
  it("permit what the role permits in their scope, and nothing else", async () => {
    await grantTo("usr_1", "deployer", SHOP);
    const can = await access.permissionsOf(user("usr_1"));
    expect(can("changes.write", SHOP)).toBe(true);
    expect(can("changes.force", SHOP)).toBe(false);
    expect(can("changes.write", BILLING)).toBe(false);
    expect(can("changes.write")).toBe(false);
    expect((await access.permissionsOf(user("usr_2")))("api.read", "somewhere")).toBe(false);
  });

  it("are made and taken away only by who has all of it there", async () => {
    await access.roles.create(
      { name: "lead", permissions: ["access.read", "access.write", "changes.read"] },
      by,
    );
    await grantTo("usr_lead", "lead", SHOP);
    await access.roles.create({ name: "watcher", permissions: ["changes.read"] }, by);
    const lead = { origin: originOf("usr_lead"), can: await access.permissionsOf(user("usr_lead")) };
    const wish = { subject: user("usr_2"), role: "watcher" };
    await expect(access.grants.add({ ...wish, ...BILLING }, lead)).rejects.toMatchObject({
      code: "GRANT_EXCEEDS",
    });
    await expect(access.grants.add(wish, lead)).rejects.toMatchObject({ code: "GRANT_EXCEEDS" });
    await expect(access.grants.add({ ...wish, ...SHOP, role: "admin" }, lead)).rejects.toMatchObject({
      code: "GRANT_EXCEEDS",
      params: { permissions: expect.stringContaining("changes.force"), scope: "shop in staging" },
    });
    const { id } = await access.grants.add({ ...wish, ...SHOP }, lead);
    await access.grants.remove(id, lead);
    const admins = await grantTo("usr_root", "admin");
    await expect(access.grants.remove(admins.id, lead)).rejects.toMatchObject({ code: "GRANT_EXCEEDS" });
  });

  it("are audited with what was before and after, and not made twice", async () => {
    const { id } = await grantTo("usr_1", "viewer", SHOP);
    await expect(grantTo("usr_1", "viewer", SHOP)).rejects.toMatchObject({ code: "ACCESS_EXISTS" });
    await grantTo("usr_root", "admin");
    await access.grants.remove(id, by);
    const { entries } = await audit().list({ limit: 3 });
    const outline = { subject: "user:usr_1", role: "viewer", ...SHOP };
    expect(entries[0]).toMatchObject({
      action: "identity.grant_removed",
      before: outline,
      after: null,
      ...SHOP,
    });
    expect(entries[2]).toMatchObject({
      action: "identity.granted",
      before: null,
      after: outline,
      requestId: "req_1",
    });
  });
});

describe("the last administrator", () => {
  it("cannot be taken away: by no grant, membership, team or suspension", async () => {
    await access.teams.create("admins", by);
    await access.teams.addMember("admins", "usr_1", by);
    const { id } = await access.grants.add({ subject: { type: "team", id: "admins" }, role: "admin" }, by);
    const last = { code: "LAST_ADMIN" };
    await expect(access.grants.remove(id, by)).rejects.toMatchObject(last);
    await expect(access.teams.removeMember("admins", "usr_1", by)).rejects.toMatchObject(last);
    await expect(access.teams.remove("admins", by)).rejects.toMatchObject(last);
    const suspension = database.db.transaction().execute(async (tx) => {
      await access.suspend(tx, "usr_1");
      await access.assertAdminRemains(tx);
    });
    await expect(suspension).rejects.toMatchObject(last);
    expect((await access.permissionsOf(user("usr_1")))("access.write")).toBe(true);
    await grantTo("usr_2", "admin");
    await access.teams.remove("admins", by);
  });

  it("is not one with a scope, nor one who is suspended, nor a key", async () => {
    const { id } = await grantTo("usr_1", "admin");
    await grantTo("usr_2", "admin", { environment: "production" });
    await grantTo("usr_3", "admin");
    await makeKey({ role: "admin", owner: "platform" }, "usr_1");
    await database.db.transaction().execute((tx) => access.suspend(tx, "usr_3"));
    await expect(access.grants.remove(id, by)).rejects.toMatchObject({ code: "LAST_ADMIN" });
  });

  it("remains when two administrators take each other's role away at the same moment", async () => {
    const [one, two] = [await grantTo("usr_1", "admin"), await grantTo("usr_2", "admin")];
    const other = createServer();
    const results = await Promise.allSettled([
      access.grants.remove(one.id, by),
      other.grants.remove(two.id, by),
    ]);
    expect(results.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
    expect(await access.grants.list({ role: "admin" }, by)).toHaveLength(1);
  });
});

describe("teams", () => {
  it("hand on what is granted to them for as long as one is a member", async () => {
    await access.teams.create("web", by);
    await access.grants.add({ subject: { type: "team", id: "web" }, role: "deployer", ...SHOP }, by);
    await access.teams.addMember("web", "usr_1", by);
    expect((await access.permissionsOf(user("usr_1")))("changes.write", SHOP)).toBe(true);
    await access.teams.removeMember("web", "usr_1", by);
    expect((await access.permissionsOf(user("usr_1")))("changes.write", SHOP)).toBe(false);
  });

  it("take in nobody by somebody who may less than the team", async () => {
    await access.teams.create("web", by);
    await access.grants.add({ subject: { type: "team", id: "web" }, role: "deployer" }, by);
    const less = { origin: ROOT, can: ((wanted: Permission) => wanted.startsWith("access.")) satisfies Can };
    await expect(access.teams.addMember("web", "usr_1", less)).rejects.toMatchObject({
      code: "GRANT_EXCEEDS",
    });
  });

  it("end with their grants and their keys", async () => {
    await grantTo("usr_root", "admin");
    await access.teams.create("web", by);
    await access.grants.add({ subject: { type: "team", id: "web" }, role: "deployer" }, by);
    const { secret } = await makeKey({ role: "deployer", owner: { type: "team", id: "web" } });
    expect((await show(secret))?.can("changes.write")).toBe(true);
    await access.teams.remove("web", by);
    await expect(show(secret)).rejects.toMatchObject(refused("not known"));
    expect(await access.grants.list({ subject: "web" }, by)).toEqual([]);
  });
});

describe("roles", () => {
  it("are made by who has their permissions, and cannot be removed while granted", async () => {
    await access.roles.create({ name: "on-call", permissions: ["changes.steer", "changes.read"] }, by);
    const { id } = await grantTo("usr_1", "on-call");
    await grantTo("usr_root", "admin");
    await expect(access.roles.remove("on-call", by)).rejects.toMatchObject({ code: "ROLE_IN_USE" });
    await access.grants.remove(id, by);
    await access.roles.remove("on-call", by);
    await expect(grantTo("usr_1", "on-call")).rejects.toMatchObject({ code: "NOT_FOUND" });
    await expect(access.roles.remove("admin", by)).rejects.toMatchObject({ code: "ROLE_BUILT_IN" });
    const poor = { origin: ROOT, can: await access.permissionsOf(user("usr_1")) };
    const wish = { name: "mine", permissions: ["changes.force" as const] };
    await expect(access.roles.create(wish, poor)).rejects.toMatchObject({ code: "GRANT_EXCEEDS" });
  });
});

describe("a key", () => {
  beforeEach(() => grantTo("usr_root", "admin"));

  it("may what it was made for, on behalf of its owner, and never more than they may now", async () => {
    const grant = await grantTo("usr_1", "deployer");
    const { id, secret } = await makeKey({ role: "operator", ...SHOP }, "usr_1");
    const shown = await show(secret);
    expect(shown).toMatchObject({ actor: { type: "key", id }, onBehalfOf: { type: "user", id: "usr_1" } });
    expect(shown?.can("changes.steer", SHOP)).toBe(true);
    expect(shown?.can("changes.steer", BILLING)).toBe(false);
    expect(shown?.can("changes.write", SHOP)).toBe(false);
    await access.grants.remove(grant.id, by);
    expect((await show(secret))?.can("changes.steer", SHOP)).toBe(false);
  });

  it("is not made for more than its maker may", async () => {
    await grantTo("usr_1", "deployer", SHOP);
    const exceeds = { code: "GRANT_EXCEEDS" };
    await expect(makeKey({ role: "deployer" }, "usr_1")).rejects.toMatchObject(exceeds);
    await expect(makeKey({ role: "deployer", ...BILLING }, "usr_1")).rejects.toMatchObject(exceeds);
    await expect(makeKey({ permissions: ["access.write"], ...SHOP }, "usr_1")).rejects.toMatchObject(exceeds);
    const forOthers = makeKey({ role: "viewer", ...SHOP, owner: "platform" }, "usr_1");
    await expect(forOthers).rejects.toMatchObject({ code: "PERMISSION_DENIED" });
  });

  it("that makes another one makes it for its own owner", async () => {
    const first = await makeKey({ permissions: ["keys.write", "api.read"] });
    const shown = await show(first.secret);
    if (!shown) throw new Error("nobody");
    const wish = newKey.parse({ name: "second", permissions: ["api.read"] });
    const { key } = await access.keys.create(wish, shown, { ...ROOT, actor: shown.actor });
    expect(key.owner).toEqual({ type: "user", id: "usr_root" });
  });

  it("is worth nothing after its end, from elsewhere, and once its owner is suspended", async () => {
    const { secret } = await makeKey({
      role: "admin",
      expiresInSeconds: 60,
      allowedAddresses: ["192.0.2.0/24"],
    });
    expect((await show(secret, "::ffff:192.0.2.9"))?.can("access.write")).toBe(true);
    await expect(show(secret, "198.51.100.1")).rejects.toMatchObject(
      refused("may not be used from 198.51.100.1"),
    );
    await database.db.transaction().execute((tx) => access.suspend(tx, "usr_root"));
    await access.refresh();
    expect((await show(secret))?.can("api.read", "somewhere")).toBe(false);
    await clock.advance(60_000);
    await expect(show(secret)).rejects.toMatchObject(refused("has expired at"));
  });

  it("says the same of an unknown key as of one with a wrong secret", async () => {
    const { id, secret } = await makeKey({ role: "admin", expiresInSeconds: 1 });
    await clock.advance(2_000);
    for (const text of [makeApiKey(randomBytes).text, makeApiKey(randomBytes, id).text])
      await expect(show(text)).rejects.toMatchObject(refused("not known to this server"));
    await expect(show(secret)).rejects.toMatchObject(refused("has expired"));
  });

  it("gets another secret; the one before is accepted for as long as was said", async () => {
    const { id, secret } = await makeKey({ role: "admin" });
    const second = await access.keys.rotate(id, 3600, ROOT);
    expect(second.key.id).toBe(id);
    expect((await show(secret))?.actor.id).toBe(id);
    expect((await show(second.secret))?.actor.id).toBe(id);
    await clock.advance(3_600_000);
    await expect(show(secret)).rejects.toMatchObject(refused("not known"));
    const third = await access.keys.rotate(id, 0, ROOT);
    await expect(show(second.secret)).rejects.toMatchObject(refused("not known"));
    expect((await show(third.secret))?.actor.id).toBe(id);
  });

  it("ends at once where it is revoked, and elsewhere as soon as that server hears of it", async () => {
    const { id, secret } = await makeKey({ role: "admin" });
    const other = createServer();
    for (const part of other.parts) await part.start();
    expect(await show(secret, HERE, other)).not.toBe(null);
    await access.keys.revoke(id, ROOT);
    await expect(show(secret)).rejects.toMatchObject(refused("not known"));
    await waitUntil("the other server to hear of it", async () =>
      show(secret, HERE, other).then(
        () => null,
        () => true,
      ),
    );
    for (const part of other.parts) await part.stop();
    await expect(access.keys.revoke(id, ROOT)).rejects.toMatchObject({ code: "NOT_FOUND" });
  });

  it("is checked without the database once everything was read", async () => {
    const { secret } = await makeKey({ role: "admin" });
    await show(secret);
    const queries: string[] = [];
    const { pool } = database;
    const connect = pool.connect.bind(pool);
    Object.assign(pool, { connect: (...args: []) => (queries.push("connect"), connect(...args)) });
    for (let count = 0; count < 10; count += 1) await show(secret);
    Object.assign(pool, { connect });
    expect(queries).toEqual([]);
  });

  it("shows when and from where it was used last, written once a minute for all keys", async () => {
    const { id, secret } = await makeKey({ role: "admin" });
    for (const part of access.parts) await part.start();
    await show(secret, "192.0.2.1");
    await show(secret, "192.0.2.2");
    const at = clock.now().toISOString();
    await clock.advance(60_000);
    const listed = async () =>
      (await access.keys.list(await askerOf("usr_root"))).find((key) => key.id === id);
    const written = await waitUntil("the use to be written", async () => {
      await access.refresh();
      const key = await listed();
      return key?.lastUsedAt ? key : null;
    });
    expect(written).toMatchObject({ lastUsedAt: at, lastUsedFrom: "192.0.2.2" });
    for (const part of access.parts) await part.stop();
  });

  it("is listed to its owner and to administrators; to others it does not exist", async () => {
    await grantTo("usr_1", "operator");
    await grantTo("usr_2", "operator");
    const { id } = await makeKey({ role: "viewer" }, "usr_1");
    const listed = async (who: string) => (await access.keys.list(await askerOf(who))).map((key) => key.id);
    expect(await listed("usr_1")).toEqual([id]);
    expect(await listed("usr_root")).toContain(id);
    expect(await listed("usr_2")).toEqual([]);
    await expect(access.keys.demandOwn(id, await askerOf("usr_2"))).rejects.toMatchObject({
      code: "NOT_FOUND",
    });
    await access.keys.demandOwn(id, await askerOf("usr_1"));
  });

  it("is kept as a hash alone, and no audit row has its secret", async () => {
    const { id, secret } = await makeKey({
      role: "viewer",
      stepUpExempt: true,
      allowedAddresses: ["192.0.2.7"],
    });
    const { entries } = await audit().list({ filter: { resource: id } });
    expect(entries[0]).toMatchObject({
      action: "identity.key_created",
      after: { role: "viewer", stepUpExempt: true, allowedAddresses: ["192.0.2.7"] },
    });
    const { rows } = await database.pool.query(
      "select row_to_json(k)::text as text from identity.api_keys k",
    );
    expect(JSON.stringify([entries, rows])).not.toContain(secret.slice(12));
    expect((await show(secret))?.key).toEqual({ id, isStepUpExempt: true });
  });

  it("names addresses that are some", async () => {
    const wrong = makeKey({ role: "viewer", allowedAddresses: ["192.0.2.0/99"] });
    await expect(wrong).rejects.toMatchObject({ code: "KEY_ADDRESSES" });
  });
});

it("forgets a user with their grants, memberships and keys", async () => {
  await grantTo("usr_root", "admin");
  await grantTo("usr_1", "deployer");
  const { secret } = await makeKey({ role: "viewer" }, "usr_1");
  await database.db.transaction().execute((tx) => access.forget(tx, "usr_1", ROOT));
  await access.refresh();
  await expect(show(secret)).rejects.toMatchObject(refused("not known"));
  expect(await access.grants.list({ subject: "usr_1" }, by)).toEqual([]);
});
