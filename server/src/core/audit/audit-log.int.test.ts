import { cp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { createVerifier, openCheckpoint, verifyLog, verifyProof, type LogStore } from "@mainstay/tlog";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { waitUntil } from "../../../../tests/support/wait-until.ts";
import { createLogFiles } from "./log-files.ts";
import { digestOf, leafOf } from "./index.ts";
import { newEntry, openAuditHouse, ORIGIN, type AuditHouse } from "../../../../tests/support/audit-house.ts";

let house: AuditHouse;
let folder: string;
let files: LogStore;

beforeEach(async () => {
  house = await openAuditHouse();
  folder = path.join(house.dataDirectory, "audit/log");
  files = createLogFiles(folder);
});
afterEach(() => house.close());

async function trust() {
  const { vkey } = await house.log().status();
  return { origin: ORIGIN, keys: [createVerifier(vkey ?? "")] };
}

async function verify() {
  return verifyLog({ source: files, trust: await trust() });
}

/** What keeps the log from going on, once it says so. */
async function problem(): Promise<string> {
  return waitUntil("the problem", async () => (await house.log().status()).problem);
}

describe("the log", () => {
  test("holds every entry as a leaf that its row makes, under a signed checkpoint", async () => {
    await house.record(300);
    await house.startLog();
    await house.integrated(300);
    const { findings, entries } = await verify();
    expect([findings, entries]).toEqual([[], 300]);
    const { disclosure } = await house.audit.find("17");
    const proof = await house.log().prove(17);
    if (disclosure === null) throw new Error("it has an index");
    verifyProof(proof, leafOf(disclosure.stored), await trust());
  });

  test("tells neither names nor addresses nor what was altered, but commits to them", async () => {
    await house.record(1, { before: { secretPlan: "plan A" }, reason: "Ada wished it" });
    await house.startLog();
    await house.integrated(1);
    const bundle = await readFile(path.join(folder, "tile/entries/000.p/1"), "utf8");
    expect(bundle).not.toMatch(/Ada|192\.0\.2\.7|plan/);
    const { disclosure } = await house.audit.find("1");
    const name = disclosure?.personal["/actor/name"];
    expect(disclosure?.stored.personal["/actor/name"]).toBe(digestOf(name?.salt ?? "", "Ada Lovelace"));
    expect(bundle).toContain(disclosure?.stored.personal["/actor/name"]);
    expect(bundle).toContain(digestOf(disclosure?.stored.salt ?? "", '"Ada wished it"'));
  });

  test("goes on while entries come, and after a restart", async () => {
    await house.startLog();
    await house.record(5);
    await house.integrated(5);
    await house.stopLog();
    await house.record(500);
    await house.startLog();
    await house.integrated(505);
    expect((await verify()).findings).toEqual([]);
  });

  test("is written by one server at a time", async () => {
    await house.startLog();
    const other = house.makeLog();
    await other.start();
    await house.record(10);
    await house.integrated(10);
    await house.stopLog();
    await house.record(10);
    await waitUntil("the other to go on", async () => (await other.status()).size === 20);
    const { vkey } = await other.status();
    await other.stop();
    const keys = [createVerifier(vkey ?? "")];
    expect((await verifyLog({ source: files, trust: { origin: ORIGIN, keys } })).findings).toEqual([]);
  });

  test("has a key that only the account of the server can read", async () => {
    await house.record(1);
    await house.startLog();
    await house.integrated(1);
    const file = path.join(house.dataDirectory, "keys/audit-log.key");
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });
});

describe("erasing a person", () => {
  test("removes name and address, is audited, and leaves the log whole", async () => {
    await house.record(3);
    await house.record(1, { actor: { type: "user", id: "usr_2", name: "Grace" }, address: null });
    await house.startLog();
    await house.integrated(4);
    const order = { person: "usr_1", reason: "she asked", isDryRun: true };
    const origin = { actor: { type: "key", id: "mk_1", name: "admin" } };
    expect(await house.audit.erase(order, origin)).toEqual({ values: 6, entries: 3 });
    expect((await house.audit.find("1")).entry.actor.name).toBe("Ada Lovelace");
    await house.audit.erase({ ...order, isDryRun: false }, origin);
    await house.integrated(5);
    const { entry, disclosure } = await house.audit.find("1");
    expect(entry).toMatchObject({ actor: { id: "usr_1", name: "erased" }, address: "erased" });
    expect(disclosure?.personal).toEqual({});
    expect((await house.audit.find("4")).entry.actor.name).toBe("Grace");
    expect((await house.audit.find("5")).entry).toMatchObject({
      action: "audit.erased",
      after: { values: 6, entries: 3 },
    });
    expect((await verify()).findings).toEqual([]);
  });

  test("finds a value such as an e-mail address wherever it stands", async () => {
    const invited = { type: "invitation", id: "inv_1" };
    await house.record(1, {
      resource: invited,
      after: { email: "ada@example.com", name: "Ada", role: "viewer" },
    });
    const { entries } = await house.audit.list();
    expect(entries[0]?.after).toEqual({ email: "ada@example.com", name: "Ada", role: "viewer" });
    const order = { person: "ada@example.com", reason: null, isDryRun: false };
    await house.audit.erase(order, { actor: newEntry().actor });
    const [erasure, entry] = (await house.audit.list()).entries;
    expect(entry?.after).toEqual({ email: "erased", name: "Ada", role: "viewer" });
    expect(JSON.stringify(erasure)).not.toContain("ada@example.com");
  });
});

describe("what does not fit together", () => {
  beforeEach(async () => {
    await house.record(300);
    await house.startLog();
    await house.integrated(300);
    await house.stopLog();
  });

  test("lost tiles are made again of the entries, under the checkpoint that was signed", async () => {
    const before = await readFile(path.join(folder, "checkpoint"), "utf8");
    await rm(folder, { recursive: true });
    await house.startLog();
    await waitUntil("the tiles", async () => (await files.read("checkpoint")) !== null);
    expect(await readFile(path.join(folder, "checkpoint"), "utf8")).toBe(before);
    await house.record(1);
    await house.integrated(301);
    expect((await verify()).findings).toEqual([]);
  });

  test("lost tiles are not made again of entries that are others now", async () => {
    await tamper("update audit.entries set action = 'changes.paused' where index = 7");
    await rm(folder, { recursive: true });
    await house.startLog();
    expect(await problem()).toContain("300 entries were signed, the files hold 0");
    expect(await files.read("checkpoint")).toBe(null);
  });

  test("a database that holds less than was signed stops the log, which signs nothing any more", async () => {
    const before = await readFile(path.join(folder, "checkpoint"), "utf8");
    await tamper("delete from audit.entries where index > 290");
    await tamper("update audit.log set size = 0, note = null");
    await house.startLog();
    expect(await problem()).toContain("300 entries were signed and the database holds 290");
    expect(await readFile(path.join(folder, "checkpoint"), "utf8")).toBe(before);
    const [told] = await house.log().problems();
    expect(told).toMatchObject({ kind: "audit-log-failing" });
  });

  test("other entries under numbers that were signed already stop the log", async () => {
    await tamper("update audit.entries set action = 'changes.paused' where index = 299");
    await house.record(5);
    await house.startLog();
    expect(await problem()).toBe("the log holds another entry 298 than the batch");
  });

  test("another key does not go on with the log", async () => {
    await rm(path.join(house.dataDirectory, "keys/audit-log.key"));
    await house.startLog();
    expect(await problem()).toContain("keys/audit-log.key is not there");
  });

  test("a log that another database began is left alone", async () => {
    await tamper("delete from audit.log");
    await house.startLog();
    expect(await problem()).toContain("this database knows nothing of");
    expect((await files.read("checkpoint")) !== null).toBe(true);
  });

  test("an altered tile at the edge is noticed before anything is built on it", async () => {
    const tile = path.join(folder, "tile/0/001.p/44");
    const bytes = await readFile(tile);
    bytes[9] = (bytes[9] ?? 0) ^ 1;
    await writeFile(tile, bytes);
    await house.record(1);
    await house.startLog();
    expect(await problem()).toMatch(/another entry|not those that were signed/);
  });
});

describe("archiving", () => {
  const origin = { actor: newEntry().actor };

  test("moves old entries into a file under a digest, and the log goes on", async () => {
    await house.record(300);
    await house.startLog();
    await house.integrated(300);
    const before = new Date(Date.now() + 60_000);
    const dry = await house.log().archive({ before, reason: null, isDryRun: true }, origin);
    expect(dry).toMatchObject({ entries: 300, first: 1, last: 300, files: [] });
    const done = await house.log().archive({ before, reason: "old", isDryRun: false }, origin);
    expect(done.files).toMatchObject([{ file: "1-300.jsonl", entries: 300 }]);
    await house.record(20);
    await house.integrated(321);
    expect((await verify()).findings).toEqual([]);
    expect((await house.audit.find("301")).entry.action).toBe("audit.archived");
    await expect(house.audit.find("300")).rejects.toMatchObject({ code: "NOT_FOUND" });
    const file = path.join(house.dataDirectory, "audit/archive/1-300.jsonl");
    expect(await readFile(file, "utf8")).not.toContain("Ada");
  });

  test("leaves tiles that can be made again of archive and database", async () => {
    await house.record(300);
    await house.startLog();
    await house.integrated(300);
    await house
      .log()
      .archive({ before: new Date(Date.now() + 60_000), reason: null, isDryRun: false }, origin);
    await house.integrated(301);
    await house.stopLog();
    await rm(folder, { recursive: true });
    await house.startLog();
    await house.record(1);
    await house.integrated(302);
    expect((await verify()).findings).toEqual([]);
  });

  test("nothing may be deleted that no archive holds", async () => {
    await house.record(1);
    await house.startLog();
    await house.integrated(1);
    await expect(house.database.pool.query("delete from audit.entries")).rejects.toThrow("append-only");
    await expect(house.database.pool.query("update audit.personal set entry = 'Eve'")).rejects.toThrow(
      "append-only",
    );
  });
});

test("a server that dies between any two writes leaves a log that goes on", async () => {
  await house.record(300);
  await house.startLog();
  await house.integrated(300);
  await house.stopLog();
  const { size } = openCheckpoint(await readFile(path.join(folder, "checkpoint")), {
    origin: ORIGIN,
    keys: [createVerifier((await readVkey()) ?? "")],
  });
  // The files of a batch that was written up to here, and never got its checkpoint.
  const checkpoint = await readFile(path.join(folder, "checkpoint"));
  await house.record(400);
  await house.startLog();
  await house.integrated(700);
  await house.stopLog();
  const later = path.join(house.dataDirectory, "later");
  await cp(folder, later, { recursive: true });
  const written = (await readdir(later, { recursive: true })).filter((name) => name.startsWith("tile"));
  expect(written.length).toBeGreaterThan(5);
  await writeFile(path.join(folder, "checkpoint"), checkpoint);
  await writeFile(path.join(folder, "checkpoint.new"), "half a");
  await tamper(`update audit.log set size = ${size}, note = $1`, [checkpoint.toString()]);
  await house.startLog();
  await house.integrated(700);
  expect((await verify()).findings).toEqual([]);
});

async function readVkey(): Promise<string | null> {
  const { rows } = await house.database.pool.query<{ vkey: string }>("select vkey from audit.log");
  return rows[0]?.vkey ?? null;
}

/** As only a superuser can who switches triggers off; the tests are one. */
async function tamper(statement: string, values: unknown[] = []): Promise<void> {
  const client = await house.database.pool.connect();
  try {
    await client.query("set session_replication_role = replica");
    await client.query(statement, values);
    await client.query("set session_replication_role = origin");
  } finally {
    client.release();
  }
}
