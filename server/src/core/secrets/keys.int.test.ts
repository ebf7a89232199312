import { randomBytes } from "node:crypto";
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { platformFile, type PlatformConfig } from "@mainstay/api";
import { createKey, formatKey } from "@mainstay/vault";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openTestDatabase } from "../../../../tests/support/database.ts";
import { createSystemClock } from "../../kernel/clock.ts";
import { createKeySource, createSealer, openKeys, type SealedPlace } from "./index.ts";

const PLACE: SealedPlace = ["rooms.things", "sealed_thing", "1"];
const PASSPHRASE = "correct horse battery staple";

let directory = "";
let database: Awaited<ReturnType<typeof openTestDatabase>>;
beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), "mainstay-keys-"));
  database = await openTestDatabase();
});
afterEach(async () => {
  await database.close();
  await rm(directory, { recursive: true, force: true });
});

const keyFile = () => path.join(directory, "keys", "wrapping.key");

function openWith(settings: Partial<PlatformConfig["secrets"]> = {}, dataDirectory = directory) {
  const all = { ...platformFile.parse({}).secrets, ...settings };
  const source = createKeySource({ settings: all, dataDirectory, random: randomBytes });
  return openKeys({ db: database.db, clock: createSystemClock(), source });
}

async function sealerOf(keys: ReturnType<typeof openWith>) {
  return createSealer({ keyring: (await keys).keyring, random: randomBytes });
}

describe("the key file", () => {
  it("is made at the first start, for its owner alone, and its key is told once", async () => {
    const first = await openWith();
    expect(await readFile(keyFile(), "utf8")).toContain(first.recoveryKey);
    expect((await stat(keyFile())).mode & 0o777).toBe(0o600);
    const second = await openWith();
    expect(second.recoveryKey).toBeNull();
    expect(second.keyring().active.id).toBe(first.keyring().active.id);
  });

  it("opens after a restart what was sealed before, in its own place alone", async () => {
    const sealed = (await sealerOf(openWith())).seal(PLACE, Buffer.from("attack at dawn"));
    const after = await sealerOf(openWith());
    expect(Buffer.from(after.open(PLACE, sealed)).toString()).toBe("attack at dawn");
    const opening = () => after.open(["rooms.things", "sealed_thing", "2"], sealed);
    expect(opening).toThrow(expect.objectContaining({ code: "SECRETS_UNREADABLE" }));
    expect(opening).toThrow(/rooms\.things \/ sealed_thing \/ 2/);
  });

  it("may not be lost: no server begins anew on a database that was sealed", async () => {
    const first = await openWith();
    await rm(keyFile());
    const missing = { code: "SECRETS_KEY_MISSING", params: { key: first.keyring().active.id, where: keyFile() } };
    await expect(openWith()).rejects.toMatchObject(missing);
    await expect(stat(keyFile())).rejects.toThrow("ENOENT");
    await writeFile(keyFile(), `${formatKey(createKey(randomBytes))}\n`, { mode: 0o600 });
    await expect(openWith()).rejects.toMatchObject(missing);
    await writeFile(keyFile(), `${first.recoveryKey}\n`, { mode: 0o600 });
    expect((await openWith()).keyring().active.id).toBe(first.keyring().active.id);
  });

  it.each([
    { title: "others may read it", text: null, mode: 0o604, reason: /other accounts may read it/ },
    { title: "it holds something else", text: "hello\n", mode: 0o600, reason: /A key is a line/ },
  ])("is refused when $title", async ({ text, mode, reason }) => {
    await openWith();
    if (text !== null) await writeFile(keyFile(), text);
    await chmod(keyFile(), mode);
    const refused = { code: "SECRETS_KEY_FILE", message: expect.stringMatching(reason) };
    await expect(openWith()).rejects.toMatchObject(refused);
  });

  it("of two servers that start at once on one database is the one of the first", async () => {
    const other = await mkdtemp(path.join(tmpdir(), "mainstay-keys-"));
    const both = await Promise.allSettled([openWith(), openWith({}, other)]);
    await rm(other, { recursive: true, force: true });
    expect(both.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
    const refused = both.find((each) => each.status === "rejected");
    expect(refused?.reason).toMatchObject({ code: "SECRETS_KEY_MISSING" });
  });
});

describe("a key from the environment", () => {
  it("is used and written nowhere", async () => {
    const key = createKey(randomBytes);
    const keys = await openWith({ key: formatKey(key) });
    expect(keys.keyring().active.id).toBe(key.id);
    expect(keys.recoveryKey).toBeNull();
    await expect(stat(keyFile())).rejects.toThrow("ENOENT");
  });

  it("that is mistyped is named without being repeated", async () => {
    const line = formatKey(createKey(randomBytes));
    const opening = openWith({ key: line.replace(/ [0-9a-f]{16} /, " 0123456789abcdef ") });
    const error: unknown = await opening.catch((refused: unknown) => refused);
    expect(error).toMatchObject({ code: "SECRETS_KEY_FILE", params: { file: "secrets.key" } });
    expect(String(error)).not.toContain(line.split(" ")[2]);
  });
});

describe("a passphrase", () => {
  it("gives the same key at every start, and a wrong one is told", async () => {
    const first = await openWith({ passphrase: PASSPHRASE });
    const again = await openWith({ passphrase: PASSPHRASE });
    expect(again.keyring().active.id).toBe(first.keyring().active.id);
    const wrong = openWith({ passphrase: "correct horse battery stable" });
    await expect(wrong).rejects.toMatchObject({ code: "SECRETS_PASSPHRASE_WRONG" });
  });

  it("may come from a file of its own, which others may not read", async () => {
    const file = path.join(directory, "passphrase");
    await writeFile(file, `${PASSPHRASE}\n`, { mode: 0o600 });
    const first = await openWith({ passphraseFile: file });
    expect((await openWith({ passphrase: PASSPHRASE })).keyring().ids).toEqual(first.keyring().ids);
    await chmod(file, 0o644);
    await expect(openWith({ passphraseFile: file })).rejects.toMatchObject({ code: "SECRETS_KEY_FILE" });
  });
});
