import { cp, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { sql } from "kysely";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openTestDatabase } from "../../../../tests/support/database.ts";
import {
  createSealedTables,
  createSealingServer,
  type SealingServer,
  type SealingServerOptions,
} from "../../../../tests/support/sealing-server.ts";
import { waitUntil } from "../../../../tests/support/wait-until.ts";
import { createSystemClock } from "../../kernel/clock.ts";

const ANN = { actor: { type: "user", id: "usr_ann", name: "ann" }, requestId: null, address: null };
const PASSPHRASES = ["correct horse battery staple", "another horse, another battery"];

let database: Awaited<ReturnType<typeof openTestDatabase>>;
let directory = "";
let servers: SealingServer[] = [];

beforeEach(async () => {
  database = await openTestDatabase();
  directory = await mkdtemp(path.join(tmpdir(), "mainstay-rotation-"));
  await createSealedTables(database);
  servers = [];
});
afterEach(async () => {
  for (const each of servers) await each.stop();
  await database.close();
  await rm(directory, { recursive: true, force: true });
});

async function start(name: string, more: Partial<SealingServerOptions> = {}): Promise<SealingServer> {
  const dataDirectory = path.join(directory, name);
  const server = await createSealingServer({ database, clock: createSystemClock(), dataDirectory, ...more });
  servers.push(server);
  await server.start();
  return server;
}

async function fill(server: SealingServer, count: number): Promise<void> {
  for (let index = 0; index < count; index++) {
    const id = `thing ${index}`;
    const bytes = server.sealer.seal(["load.things", "sealed_thing", id], Buffer.from(`value ${index}`));
    await sql`insert into load.things values (${id}, ${`value ${index}`}, ${bytes})`.execute(database.db);
  }
  const other = server.sealer.seal(["load.others", "sealed_other", "7"], Buffer.from("other"));
  await sql`insert into load.others values (7, 'other', ${other}), (8, null, null)`.execute(database.db);
}

/** Rows whose content is not what it was. */
async function unreadable(server: SealingServer): Promise<string[]> {
  const { rows } = await sql<{ place: string; id: string; plain: string; sealed: Buffer }>`
    select 'thing' as place, id, plain, sealed_thing as sealed from load.things
    union all select 'other', id::text, plain, sealed_other from load.others where plain is not null`.execute(
    database.db,
  );
  return rows.flatMap(({ place, id, plain, sealed }) => {
    const opened = server.sealer.open([`load.${place}s`, `sealed_${place}`, id], sealed);
    return Buffer.from(opened).toString() === plain ? [] : [id];
  });
}

async function finished(server: SealingServer, id: string) {
  await waitUntil("the end of the rotation", async () => (await server.secrets.rotation(id)).finishedAt);
  return server.secrets.rotation(id);
}

describe("a rotation of the wrapping key", () => {
  it("puts everything under a new key, and the old one goes from database and file", async () => {
    const server = await start("one");
    await fill(server, 130);
    const old = (await server.secrets.status()).activeKey;
    const { id, objects } = await server.secrets.rotate({ kind: "wrapping-key", reason: null }, ANN);
    expect(objects).toBe(131);
    expect(await finished(server, id)).toMatchObject({ done: 131, outcome: "complete" });
    const { activeKey, keys, columns } = await server.secrets.status();
    expect(activeKey).not.toBe(old);
    expect(keys).toMatchObject([
      { id: old, state: "retired", objects: 0 },
      { id: activeKey, state: "active", objects: 131 },
    ]);
    expect(columns.map((each) => each.objects)).toEqual([130, 1]);
    const readKeys = () => readFile(path.join(directory, "one", "keys", "wrapping.key"), "utf8");
    expect(await readKeys()).toContain(activeKey);
    // The file follows the database: a key in it that nothing is sealed with does no harm.
    await waitUntil("the old key to leave the file", async () => !(await readKeys()).includes(old));
    expect(await unreadable(server)).toEqual([]);
    expect(await unreadable(await start("one"))).toEqual([]);
  });

  it("is known to the other servers of the database, which keep the key for themselves", async () => {
    const one = await start("one");
    await cp(path.join(directory, "one"), path.join(directory, "other"), { recursive: true });
    const other = await start("other");
    await fill(one, 3);
    const { id } = await other.secrets.rotate({ kind: "wrapping-key", reason: null }, ANN);
    await finished(one, id);
    const { activeKey, servers: count } = await one.secrets.status();
    expect(count).toBe(2);
    await waitUntil("both to seal with it", () =>
      [one, other].every((each) => each.keys.keyring().active.id === activeKey),
    );
    expect([...(await unreadable(one)), ...(await unreadable(other))]).toEqual([]);
    for (const name of ["one", "other"]) {
      const file = await readFile(path.join(directory, name, "keys", "wrapping.key"), "utf8");
      expect(file).toContain(activeKey);
    }
    const { rows } = await sql`select from secrets.keys where sealed_key is not null`.execute(database.db);
    expect(rows).toEqual([]);
  });

  it("leaves the old key where an object cannot be opened, and says so", async () => {
    const server = await start("one");
    await fill(server, 3);
    const old = (await server.secrets.status()).activeKey;
    await sql`update load.things set sealed_thing = set_byte(sealed_thing, 60, get_byte(sealed_thing, 60) # 1)
               where id = 'thing 1'`.execute(database.db);
    const { id } = await server.secrets.rotate({ kind: "wrapping-key", reason: null }, ANN);
    expect((await finished(server, id)).outcome).toMatch(/^1 objects could not be sealed anew/);
    expect((await server.secrets.status()).keys[0]).toMatchObject({ id: old, state: "closed", objects: 1 });
    const file = await readFile(path.join(directory, "one", "keys", "wrapping.key"), "utf8");
    expect(file).toContain(old);
  });

  it("changes the passphrase when a new one stands below the old one", async () => {
    const [first = "", second = ""] = PASSPHRASES;
    const before = await start("one", { settings: { passphrase: first } });
    await fill(before, 2);
    const refused = before.secrets.rotate({ kind: "wrapping-key", reason: null }, ANN);
    await expect(refused).rejects.toMatchObject({ code: "SECRETS_NO_NEW_KEY" });
    await before.stop();
    servers = [];
    const both = await start("one", { settings: { passphrase: PASSPHRASES.join("\n") } });
    const { id } = await both.secrets.rotate({ kind: "wrapping-key", reason: null }, ANN);
    await finished(both, id);
    const after = await start("one", { settings: { passphrase: second } });
    expect(await unreadable(after)).toEqual([]);
    const late = start("one", { settings: { passphrase: first } });
    await expect(late).rejects.toMatchObject({ code: "SECRETS_PASSPHRASE_WRONG" });
  });
});

describe("a rotation of the data keys", () => {
  it("seals everything anew in the next generation, under the same wrapping key", async () => {
    const server = await start("one");
    await fill(server, 4);
    const before = await server.secrets.status();
    const { id } = await server.secrets.rotate({ kind: "data-keys", reason: "the disk was sold" }, ANN);
    expect(await finished(server, id)).toMatchObject({ done: 5, generation: 1, outcome: "complete" });
    const after = await server.secrets.status();
    expect(after).toMatchObject({
      activeKey: before.activeKey,
      generations: [{ generation: 1, objects: 5 }],
    });
    expect(await unreadable(server)).toEqual([]);
  });
});

describe("whatever is rotated", () => {
  it("is one thing at a time", async () => {
    const server = await start("one", { works: false });
    await server.secrets.rotate({ kind: "data-keys", reason: null }, ANN);
    const second = server.secrets.rotate({ kind: "wrapping-key", reason: null }, ANN);
    await expect(second).rejects.toMatchObject({ code: "SECRETS_ROTATION_RUNNING" });
  });

  it.each(["wrapping-key", "data-keys"] as const)(
    "refuses what a server with an old keyring seals after a rotation of the %s",
    async (kind) => {
      const server = await start("one");
      await fill(server, 1);
      const bytes = server.sealer.seal(["load.things", "sealed_thing", "late"], Buffer.from("late"));
      const { id } = await server.secrets.rotate({ kind, reason: null }, ANN);
      await finished(server, id);
      const insert = sql`insert into load.things values ('late', 'late', ${bytes})`.execute(database.db);
      await expect(insert).rejects.toThrow(/not in use any more|earlier generation/);
    },
  );
});
