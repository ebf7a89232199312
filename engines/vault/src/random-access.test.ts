import { assert, asyncProperty, nat } from "fast-check";
import { describe, expect, it } from "vitest";
import { CHUNK_BYTES, SEALED_CHUNK_BYTES } from "./chunked.ts";
import { createKey } from "./key.ts";
import { createKeyring } from "./keyring.ts";
import { openRandomAccess, type ByteSource } from "./random-access.ts";
import { sealStream } from "./stream.ts";
import { createSeededRandom } from "./testing/seeded-random.ts";
import { collect, inPieces } from "./testing/streams.ts";

const random = createSeededRandom("random access");
const key = createKey(random);
const sealing = { keyring: createKeyring({ keys: [key], activeId: key.id }), random, context: ["file"] };
const plaintext = Buffer.from(random(3 * CHUNK_BYTES + 1_234));
const sealed = await collect(sealStream(sealing, inPieces(plaintext, [60_000])));

function sourceOf(bytes: Buffer): ByteSource & { readBytes(): number } {
  let readBytes = 0;
  return {
    sizeBytes: bytes.length,
    read: async (offset, sizeBytes) => {
      readBytes += sizeBytes;
      return bytes.subarray(offset, offset + sizeBytes);
    },
    readBytes: () => readBytes,
  };
}

describe("a sealed stream read from anywhere", () => {
  it("answers the bytes of every range", async () => {
    const file = await openRandomAccess(sealing, sourceOf(sealed));
    expect(file.sizeBytes).toBe(plaintext.length);
    await assert(
      asyncProperty(nat(plaintext.length), nat(plaintext.length), async (one, other) => {
        const [from, to] = [Math.min(one, other), Math.max(one, other)];
        const bytes = Buffer.from(await file.read(from, to - from));
        expect(bytes.equals(plaintext.subarray(from, to))).toBe(true);
      }),
    );
  });

  it("opens the chunks it touches and no others", async () => {
    const source = sourceOf(sealed);
    const file = await openRandomAccess(sealing, source);
    const before = source.readBytes();
    await file.read(CHUNK_BYTES + 5, 10);
    expect(source.readBytes() - before).toBe(SEALED_CHUNK_BYTES);
  });

  it("refuses a range that is not inside", async () => {
    const file = await openRandomAccess(sealing, sourceOf(sealed));
    await expect(file.read(plaintext.length - 1, 2)).rejects.toThrow(RangeError);
    await expect(file.read(-1, 2)).rejects.toThrow(RangeError);
  });

  it("is refused at once when it was cut or made longer, whichever range is wanted", async () => {
    const ends = [0, 100, 144, 145, 160, 200, SEALED_CHUNK_BYTES, sealed.length - 1];
    const atChunks = [1, 2, 3].map((chunk) => 145 + chunk * SEALED_CHUNK_BYTES);
    for (const end of [...ends, ...atChunks]) {
      const cut = sourceOf(sealed.subarray(0, end));
      await expect(openRandomAccess(sealing, cut), `${end}`).rejects.toMatchObject({ fault: "altered" });
    }
    const longer = sourceOf(Buffer.concat([sealed, sealed.subarray(-SEALED_CHUNK_BYTES)]));
    await expect(openRandomAccess(sealing, longer)).rejects.toMatchObject({ fault: "altered" });
  });

  it("is refused where a chunk was altered or moved, and readable elsewhere", async () => {
    const altered = Buffer.from(sealed);
    sealed.copy(altered, 145, 145 + SEALED_CHUNK_BYTES, 145 + 2 * SEALED_CHUNK_BYTES);
    const file = await openRandomAccess(sealing, sourceOf(altered));
    await expect(file.read(0, 1)).rejects.toMatchObject({ fault: "altered" });
    expect(Buffer.from(await file.read(CHUNK_BYTES, 4))).toEqual(
      plaintext.subarray(CHUNK_BYTES, CHUNK_BYTES + 4),
    );
  });
});
