import { createReadStream, createWriteStream } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { array, assert, asyncProperty, integer, nat, oneof, constantFrom } from "fast-check";
import { describe, expect, it } from "vitest";
import { CHUNK_BYTES, PREFIX_BYTES, SEALED_CHUNK_BYTES } from "./chunked.ts";
import { HEADER_BYTES, rewrap } from "./header.ts";
import { createKey } from "./key.ts";
import { createKeyring } from "./keyring.ts";
import { open, seal } from "./seal.ts";
import { openStream, sealStream } from "./stream.ts";
import { createSeededRandom } from "./testing/seeded-random.ts";
import { collect, inPieces } from "./testing/streams.ts";

const random = createSeededRandom("stream");
const key = createKey(random);
const keyring = createKeyring({ keys: [key], activeId: key.id });
const context = ["backups", "base.tar"];
const sealing = { keyring, random, context };
const CHUNKS_AT = HEADER_BYTES + PREFIX_BYTES;

const sealed = (sizeBytes: number) => collect(sealStream(sealing, inPieces(random(sizeBytes), [70_000])));
const opened = (bytes: Uint8Array, place = context) =>
  collect(openStream({ keyring, context: place }, inPieces(bytes, [9_999])));
const refused = expect.objectContaining({ name: "VaultError" });

describe("a sealed stream", () => {
  it("opens to what was sealed, however both were cut into pieces", async () => {
    const border = constantFrom(0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES);
    const sizes = oneof(border, nat(4 * CHUNK_BYTES));
    const pieces = array(integer({ min: 1, max: 50_000 }), { minLength: 1, maxLength: 4 });
    await assert(
      asyncProperty(sizes, pieces, pieces, async (size, cut, otherCut) => {
        const plaintext = Buffer.from(random(size));
        const bytes = await collect(
          sealStream(
            sealing,
            inPieces(
              plaintext,
              cut.map((each) => each + 99),
            ),
          ),
        );
        const back = await collect(
          openStream(
            sealing,
            inPieces(
              bytes,
              otherCut.map((each) => each + 99),
            ),
          ),
        );
        expect(back.equals(plaintext)).toBe(true);
      }),
      { numRuns: 40 },
    );
  });

  it.each([
    [0, 1],
    [1, 1],
    [CHUNK_BYTES - 1, 1],
    [CHUNK_BYTES, 2],
    [CHUNK_BYTES + 1, 2],
  ])("of %i bytes has %i chunks, of which only the last is shorter", async (size, chunks) => {
    expect(await sealed(size)).toHaveLength(CHUNKS_AT + size + chunks * 16);
  });

  it("is refused when any bit of what precedes the chunks is flipped", async () => {
    const bytes = await sealed(10);
    for (let bit = 0; bit < bytes.length * 8; bit += 3) {
      const altered = Buffer.from(bytes);
      altered[bit >> 3]! ^= 1 << (bit & 7);
      await expect(opened(altered), `bit ${bit}`).rejects.toThrow(refused);
    }
  });

  it("is refused when any bit of its chunks is flipped, and hands out nothing from there on", async () => {
    const bytes = await sealed(2 * CHUNK_BYTES + 500);
    const plaintext = await opened(bytes);
    await assert(
      asyncProperty(integer({ min: CHUNKS_AT * 8, max: bytes.length * 8 - 1 }), async (bit) => {
        const altered = Buffer.from(bytes);
        altered[bit >> 3]! ^= 1 << (bit & 7);
        const pieces: Uint8Array[] = [];
        const reading = async () => {
          for await (const piece of openStream(sealing, inPieces(altered, [5_000]))) pieces.push(piece);
        };
        await expect(reading()).rejects.toThrow(refused);
        const whole = Buffer.concat(pieces);
        const chunk = Math.floor((bit / 8 - CHUNKS_AT) / SEALED_CHUNK_BYTES);
        expect(whole.equals(plaintext.subarray(0, chunk * CHUNK_BYTES))).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  it("is refused when it was cut anywhere, the ends of chunks included", async () => {
    const bytes = await sealed(2 * CHUNK_BYTES);
    const ends = [0, 1, 88, 89, 144, 145, 160, 161].concat(
      [1, 2].flatMap((n) => [-1, 0, 1, 15, 16, 17].map((d) => CHUNKS_AT + n * SEALED_CHUNK_BYTES + d)),
    );
    for (const end of ends.filter((each) => each < bytes.length)) {
      await expect(opened(bytes.subarray(0, end)), `${end} bytes`).rejects.toThrow(refused);
    }
  });

  it("is refused when something was added at its end", async () => {
    for (const size of [10, CHUNK_BYTES - 1, CHUNK_BYTES]) {
      const bytes = await sealed(size);
      await expect(opened(Buffer.concat([bytes, random(1)]))).rejects.toThrow(refused);
      await expect(opened(Buffer.concat([bytes, bytes.subarray(CHUNKS_AT)]))).rejects.toThrow(refused);
    }
  });

  it("is refused when chunks were exchanged, repeated or left out", async () => {
    const bytes = await sealed(3 * CHUNK_BYTES + 9);
    const start = bytes.subarray(0, CHUNKS_AT);
    const [a, b, c, last] = [0, 1, 2, 3].map((index) => {
      const at = CHUNKS_AT + index * SEALED_CHUNK_BYTES;
      return bytes.subarray(at, at + SEALED_CHUNK_BYTES);
    });
    const orders = [
      [b, a, c, last],
      [a, a, b, c, last],
      [a, c, last],
      [a, b, last],
      [last, b, c, last],
    ];
    for (const order of orders) {
      const mixed = Buffer.concat([start, ...order.map((chunk) => chunk ?? Buffer.alloc(0))]);
      await expect(opened(mixed)).rejects.toThrow(refused);
    }
  });

  it("is refused when a chunk comes from another stream", async () => {
    const [one, other] = [await sealed(2 * CHUNK_BYTES), await sealed(2 * CHUNK_BYTES)];
    const at = CHUNKS_AT + SEALED_CHUNK_BYTES;
    await expect(opened(Buffer.concat([one.subarray(0, at), other.subarray(at)]))).rejects.toThrow(refused);
  });

  it("opens at its own place alone", async () => {
    await expect(opened(await sealed(10), ["backups", "other.tar"])).rejects.toThrow("another place");
  });

  it("takes another key by a new header", async () => {
    const next = createKey(random);
    const bytes = await sealed(CHUNK_BYTES);
    const both = createKeyring({ keys: [key, next], activeId: next.id });
    const head = rewrap({ ...sealing, keyring: both }, bytes.subarray(0, HEADER_BYTES));
    const alone = createKeyring({ keys: [next], activeId: next.id });
    const rewrapped = inPieces(Buffer.concat([head, bytes.subarray(HEADER_BYTES)]), [8_000]);
    const back = await collect(openStream({ keyring: alone, context }, rewrapped));
    expect(back.equals(await opened(bytes))).toBe(true);
  });

  it("is not mixed up with what was sealed in one piece", async () => {
    const bytes = await sealed(10);
    expect(() => open(sealing, bytes)).toThrow("Sealed as a stream");
    await expect(opened(seal(sealing, random(100)))).rejects.toThrow("Sealed in one piece");
  });
});

describe("streaming", () => {
  it("reads on no faster than it is read", async () => {
    let pieces = 0;
    let isClosed = false;
    const endless = async function* () {
      try {
        for (;;) {
          pieces += 1;
          yield random(CHUNK_BYTES);
        }
      } finally {
        isClosed = true;
      }
    };
    const stream = sealStream(sealing, endless());
    for (let count = 0; count < 4; count += 1) await stream.next();
    expect(pieces).toBe(3);
    await stream.return();
    expect(isClosed).toBe(true);
  });

  it("hands on the failure of its source", async () => {
    const broken = async function* () {
      yield random(100);
      throw new Error("disk on fire");
    };
    await expect(collect(sealStream(sealing, broken()))).rejects.toThrow("disk on fire");
  });

  it("is piped from file to file, and through web streams", async () => {
    const folder = await mkdtemp(join(tmpdir(), "vault-"));
    const [plain, secret, again] = ["plain", "secret", "again"].map((name) => join(folder, name));
    await writeFile(plain!, random(300_000));
    await pipeline(
      createReadStream(plain!),
      (source) => sealStream(sealing, source),
      createWriteStream(secret!),
    );
    const web = ReadableStream.from(openStream(sealing, createReadStream(secret!)));
    await pipeline(web, createWriteStream(again!));
    expect((await readFile(again!)).equals(await readFile(plain!))).toBe(true);
    await rm(folder, { recursive: true });
  });
});
