import { hkdfSync } from "node:crypto";
import { assert, property, uint8Array, integer, constantFrom } from "fast-check";
import { describe, expect, it } from "vitest";
import { hkdf, hkdfExpand } from "./hkdf.ts";

const bytes = uint8Array({ maxLength: 100 });

describe("HKDF", () => {
  it("agrees with OpenSSL", () => {
    const sizes = integer({ min: 1, max: 255 * 32 });
    assert(
      property(constantFrom("sha256", "sha512"), bytes, bytes, bytes, sizes, (hash, secret, salt, info, size) => {
        const theirs = Buffer.from(hkdfSync(hash, secret, salt, info, size));
        expect(hkdf({ hash, secret, salt, info }, size)).toEqual(theirs);
      }),
      { numRuns: 50 },
    );
  });

  it("refuses more than 255 blocks", () => {
    const input = { hash: "sha256", secret: Buffer.alloc(32), info: Buffer.alloc(0) } as const;
    expect(hkdfExpand(input, 255 * 32)).toHaveLength(255 * 32);
    expect(() => hkdfExpand(input, 255 * 32 + 1)).toThrow("cannot give 8161 bytes");
  });
});
