import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openTestDatabase } from "../../../../tests/support/database.ts";
import { createVirtualClock, type VirtualClock } from "../../kernel/clock.ts";
import { createIds } from "../../kernel/ids.ts";
import { createUploads } from "./uploads.ts";

const ANN = { type: "user", id: "usr_ann", name: "ann" };
const HOUR_MS = 3_600_000;
const LIMITS = { maxSize: 10_000, expiry: HOUR_MS };

let folder = "";
let database: Awaited<ReturnType<typeof openTestDatabase>>;
let clock: VirtualClock;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "mainstay-uploads-"));
  database = await openTestDatabase();
  clock = createVirtualClock(Date.parse("2026-11-01T12:00:00Z"));
});
afterEach(async () => {
  await database.close();
  await rm(folder, { recursive: true, force: true });
});

/** A server on the shared database and directory, as after a restart. */
const createServer = () =>
  createUploads({
    db: database.db,
    clock,
    ids: createIds({ clock, random: randomBytes }),
    dataDirectory: folder,
    limits: LIMITS,
  });

const announcementOf = (bytes: Uint8Array) => ({
  sizeBytes: bytes.length,
  sha256: createHash("sha256").update(bytes).digest("hex"),
});

async function* once(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  yield bytes;
}

/** Arrives in part, then the connection breaks. */
async function* broken(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  yield bytes;
  throw new Error("aborted");
}

const parts = () => readdir(path.join(folder, "uploads"));

describe("an upload", () => {
  it("arrives whole, however it is cut and whatever server takes the pieces", async () => {
    const cut = fc.record({ at: fc.nat(400), isBroken: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ minLength: 1, maxLength: 400 }),
        fc.array(cut, { maxLength: 6 }),
        async (bytes, cuts) => {
          const { id } = await createServer().announce(announcementOf(bytes), ANN);
          for (const { at, isBroken } of [...cuts, { at: bytes.length, isBroken: false }]) {
            const { offsetBytes } = await createServer().find(id);
            const piece = bytes.subarray(offsetBytes, Math.max(at, offsetBytes));
            const content = isBroken ? broken(piece) : once(piece);
            await createServer().append(id, { offsetBytes, content });
          }
          const got = await createServer().consume(id, (file) => readFile(file));
          expect(new Uint8Array(got)).toEqual(bytes);
        },
      ),
      { numRuns: 25 },
    );
    expect(await parts()).toEqual([]);
  });

  it("is found again by what it holds", async () => {
    const bytes = randomBytes(100);
    const server = createServer();
    const first = await server.announce(announcementOf(bytes), ANN);
    await server.append(first.id, { offsetBytes: 0, content: once(bytes.subarray(0, 40)) });
    expect(await createServer().announce(announcementOf(bytes), ANN)).toMatchObject({
      id: first.id,
      offsetBytes: 40,
    });
  });

  it("says where to go on to whoever sends the wrong piece, and takes nothing of it", async () => {
    const bytes = randomBytes(100);
    const server = createServer();
    const { id } = await server.announce(announcementOf(bytes), ANN);
    await server.append(id, { offsetBytes: 0, content: once(bytes.subarray(0, 40)) });
    const wrong = server.append(id, { offsetBytes: 50, content: once(bytes.subarray(50)) });
    await expect(wrong).rejects.toMatchObject({ code: "UPLOAD_OFFSET", params: { expected: 40, got: 50 } });
    expect((await server.find(id)).offsetBytes).toBe(40);
  });

  it("lets a new connection take over from one that hangs", async () => {
    const bytes = randomBytes(100);
    const server = createServer();
    const { id } = await server.announce(announcementOf(bytes), ANN);
    const { promise: never } = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    async function* hanging(): AsyncIterable<Uint8Array> {
      yield bytes.subarray(0, 40);
      begun.resolve();
      await never;
    }
    const hung = server.append(id, { offsetBytes: 0, content: hanging() });
    await begun.promise;
    expect((await server.find(id)).offsetBytes).toBe(40);
    expect((await hung).offsetBytes).toBe(40);
    await server.append(id, { offsetBytes: 40, content: once(bytes.subarray(40)) });
    expect((await server.find(id)).offsetBytes).toBe(100);
  });

  it("is not used before it is whole, nor when it is not what was announced", async () => {
    const bytes = randomBytes(100);
    const server = createServer();
    const { id } = await server.announce(announcementOf(bytes), ANN);
    const use = async () => "used";
    await expect(server.consume(id, use)).rejects.toMatchObject({ code: "UPLOAD_INCOMPLETE" });
    await server.append(id, { offsetBytes: 0, content: once(randomBytes(100)) });
    await expect(server.consume(id, use)).rejects.toMatchObject({ code: "UPLOAD_DAMAGED" });
    await expect(server.find(id)).rejects.toMatchObject({ code: "NOT_FOUND" });
    expect(await parts()).toEqual([]);
  });

  it("stays for another try when what it is used for fails", async () => {
    const bytes = randomBytes(10);
    const server = createServer();
    const { id } = await server.announce(announcementOf(bytes), ANN);
    await server.append(id, { offsetBytes: 0, content: once(bytes) });
    await expect(server.consume(id, () => Promise.reject(new Error("no")))).rejects.toThrow("no");
    expect(await server.consume(id, async () => "used")).toBe("used");
  });
});

describe("limits", () => {
  it("refuse what is too large, what exceeds its own size, and one upload too many", async () => {
    const server = createServer();
    const large = { sizeBytes: 10_001, sha256: "0".repeat(64) };
    await expect(server.announce(large, ANN)).rejects.toMatchObject({ code: "UPLOAD_TOO_LARGE" });
    const { id } = await server.announce({ sizeBytes: 10, sha256: "1".repeat(64) }, ANN);
    const longer = server.append(id, { offsetBytes: 0, content: once(randomBytes(11)) });
    await expect(longer).rejects.toMatchObject({ code: "UPLOAD_TOO_LARGE" });
    expect((await server.find(id)).offsetBytes).toBe(0);
    for (let count = 1; count < 20; count += 1) await server.announce(announcementOf(randomBytes(10)), ANN);
    await expect(server.announce(announcementOf(randomBytes(10)), ANN)).rejects.toMatchObject({
      code: "UPLOAD_LIMIT",
    });
  });

  it("remove what expired and files that nobody knows, and leave what is still arriving", async () => {
    const server = createServer();
    const old = await server.announce(announcementOf(randomBytes(10)), ANN);
    await server.append(old.id, { offsetBytes: 0, content: once(randomBytes(4)) });
    await writeFile(path.join(folder, "uploads", "unknown.part"), "");
    await clock.advance(HOUR_MS - 1);
    const young = await server.announce(announcementOf(randomBytes(10)), ANN);
    await server.append(young.id, { offsetBytes: 0, content: once(randomBytes(4)) });
    await clock.advance(1);
    await expect(server.find(old.id)).rejects.toMatchObject({ code: "NOT_FOUND" });
    expect(await server.removeExpired()).toBe(1);
    expect(await parts()).toEqual([`${young.id}.part`]);
  });
});
