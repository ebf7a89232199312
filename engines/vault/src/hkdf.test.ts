import { hkdfSync } from "node:crypto";
import { assert, constantFrom, integer, property, record, uint8Array } from "fast-check";
import { describe, expect, it } from "vitest";
import { hkdf, hkdfExpand } from "./hkdf.ts";

const bytes = uint8Array({ maxLength: 100 });

describe("HKDF", () => {
  it("agrees with OpenSSL", () => {
    const hash = constantFrom("sha256", "sha512");
    const inputs = record({ hash, secret: bytes, salt: bytes, info: bytes });
    assert(
      property(inputs, integer({ min: 1, max: 255 * 32 }), (input, size) => {
        const theirs = hkdfSync(input.hash, input.secret, input.salt, input.info, size);
        expect(hkdf(input, size).equals(Buffer.from(theirs))).toBe(true);
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
