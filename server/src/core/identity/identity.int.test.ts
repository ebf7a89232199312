import { randomBytes } from "node:crypto";
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { silentLog } from "../../../../tests/support/log.ts";
import { openTestDatabase } from "../../../../tests/support/database.ts";
import { createVirtualClock } from "../../kernel/clock.ts";
import type { DatabaseHandle } from "../../kernel/database/index.ts";
import { createIds } from "../../kernel/ids.ts";
import { createAudit } from "../audit/index.ts";
import { createIdentity, type Identity } from "./index.ts";
import { makeApiKey } from "./domain/api-key.ts";

const clock = createVirtualClock(Date.parse("2026-11-21T10:00:00Z"));
let database: DatabaseHandle;
let dataDirectory: string;
let identity: Identity;
const ids = createIds({ clock, random: randomBytes });
const audit = () => createAudit({ db: database.db, clock, ids });

beforeAll(async () => {
  database = await openTestDatabase();
});
afterAll(() => database.close());

beforeEach(async () => {
  dataDirectory = await mkdtemp(path.join(tmpdir(), "identity-"));
  const { db, listen } = database;
  const dependencies = { db, listen, clock, ids, random: randomBytes, audit: audit(), log: silentLog };
  identity = createIdentity({ ...dependencies, dataDirectory });
});
afterEach(async () => {
  await database.pool.query("delete from identity.api_keys; delete from identity.grants");
  await rm(dataDirectory, { recursive: true, force: true });
});

const authenticate = (authorization?: string) =>
  identity.authenticate({
    headers: authorization === undefined ? {} : { authorization },
    address: "127.0.0.1",
    method: "GET",
  });

describe("the admin key", () => {
  it("is made once, and lies where only the account of the server can read it", async () => {
    const key = await identity.ensureAdminKey();
    expect(await identity.ensureAdminKey()).toBe(null);
    const file = path.join(dataDirectory, "keys/admin.key");
    expect(await readFile(file, "utf8")).toBe(`${key}\n`);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect((await stat(path.dirname(file))).mode & 0o777).toBe(0o700);
  });

  it("is made once by servers that start together", async () => {
    const made = await Promise.all([
      identity.ensureAdminKey(),
      identity.ensureAdminKey(),
      identity.ensureAdminKey(),
    ]);
    expect(made.filter((key) => key !== null)).toHaveLength(1);
    expect(await authenticate(`Bearer ${made.find((key) => key !== null)}`)).not.toBe(null);
  });

  it("is audited, and stored only as a hash", async () => {
    const key = (await identity.ensureAdminKey()) ?? "";
    const { rows } = await database.pool.query(
      "select row_to_json(k)::text as text from identity.api_keys k",
    );
    expect(rows).toHaveLength(1);
    expect(rows[0].text).not.toContain(key.slice(12));
    const { entries } = await audit().list();
    expect(entries[1]).toMatchObject({
      actor: { type: "system" },
      action: "identity.key_created",
      resource: { type: "key", id: key.slice(3, 11) },
      after: { name: "admin", role: "admin" },
    });
    expect(entries[0]).toMatchObject({
      action: "identity.granted",
      after: { subject: `key:${key.slice(3, 11)}`, role: "admin", environment: null, service: null },
    });
    expect(JSON.stringify(entries)).not.toContain(key.slice(12));
  });

  it("is not made when nobody could learn it", async () => {
    await writeFile(path.join(dataDirectory, "keys"), "in the way");
    await expect(identity.ensureAdminKey()).rejects.toThrow();
    const { rows } = await database.pool.query("select id from identity.api_keys");
    expect(rows).toEqual([]);
  });

  it("replaces what lies in its file, whatever its mode", async () => {
    await identity.ensureAdminKey();
    const file = path.join(dataDirectory, "keys/admin.key");
    await chmod(file, 0o644);
    await database.pool.query("delete from identity.api_keys; delete from identity.grants");
    const key = await identity.ensureAdminKey();
    expect(await readFile(file, "utf8")).toBe(`${key}\n`);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });
});

describe("authentication", () => {
  it("knows the admin by the key, who may do everything", async () => {
    const key = (await identity.ensureAdminKey()) ?? "";
    const admin = await authenticate(`bearer  ${key}`);
    expect(admin?.actor).toEqual({ type: "key", id: key.slice(3, 11), name: "admin" });
    expect(admin?.can("changes.write")).toBe(true);
  });

  it("finds nobody in a request without a key", async () => {
    for (const header of [undefined, "", "Basic abc", "Bearer", "Bearer a b"]) {
      expect(await authenticate(header)).toBe(null);
    }
  });

  it("says what is wrong with a key, and never repeats it", async () => {
    const key = (await identity.ensureAdminKey()) ?? "";
    const stranger = makeApiKey(randomBytes).text;
    const forged = makeForged(key);
    const refusals: [string, string][] = [
      ["ghp_123", "this is no Mainstay key: those begin with mk_"],
      [key.slice(0, -1), "the key is mistyped or cut off: its checksum does not fit"],
      [stranger, "the key is not known to this server"],
      [forged, "the key is not known to this server"],
    ];
    for (const [text, message] of refusals) {
      await expect(authenticate(`Bearer ${text}`)).rejects.toMatchObject({
        code: "UNAUTHENTICATED",
        errors: [{ path: "headers.authorization", message }],
      });
    }
  });
});

/** A well-formed key with the id of another one. */
function makeForged(key: string): string {
  const idBytes = key
    .slice(3, 11)
    .split("")
    .map((digit) => "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".indexOf(digit));
  return makeApiKey((sizeBytes) => (sizeBytes === 8 ? Uint8Array.from(idBytes) : randomBytes(sizeBytes)))
    .text;
}
