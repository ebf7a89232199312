import { createHmac, hkdfSync } from "node:crypto";
import { assert, integer, property, record, uint8Array } from "fast-check";
import { describe, expect, it } from "vitest";
import { expandSha512 } from "./hkdf.ts";

const bytes = uint8Array({ maxLength: 100 });

describe("HKDF-Expand", () => {
  it("is what OpenSSL does after it has extracted", () => {
    const inputs = record({ secret: bytes, salt: uint8Array({ minLength: 1, maxLength: 100 }), info: bytes });
    assert(
      property(inputs, integer({ min: 1, max: 255 * 64 }), ({ secret, salt, info }, size) => {
        const extracted = createHmac("sha512", salt).update(secret).digest();
        const theirs = Buffer.from(hkdfSync("sha512", secret, salt, info, size));
        expect(expandSha512({ secret: extracted, info }, size).equals(theirs)).toBe(true);
      }),
      { numRuns: 50 },
    );
  });

  it("refuses more than 255 blocks", () => {
    const input = { secret: Buffer.alloc(64), info: Buffer.alloc(0) };
    expect(expandSha512(input, 255 * 64)).toHaveLength(255 * 64);
    expect(() => expandSha512(input, 255 * 64 + 1)).toThrow("cannot give 16321 bytes");
  });
});
