import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeEntries, encodeEntries, MAX_ENTRY_BYTES } from "./entry-bundle.ts";

const anyEntries = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 20 });

describe("a bundle of entries", () => {
  it("gives back what was put into it", () => {
    fc.assert(
      fc.property(anyEntries, (entries) => {
        const decoded = decodeEntries(encodeEntries(entries));
        expect(decoded.map((entry) => Uint8Array.from(entry))).toEqual(entries);
      }),
    );
  });

  it("writes lengths in two bytes, the larger first", () => {
    expect(Buffer.from(encodeEntries([Buffer.alloc(258, "a")])).toString("hex", 0, 4)).toBe("01026161");
  });

  it("takes entries up to 65,535 bytes", () => {
    expect(decodeEntries(encodeEntries([Buffer.alloc(MAX_ENTRY_BYTES)]))[0]?.length).toBe(65_535);
    expect(() => encodeEntries([Buffer.alloc(MAX_ENTRY_BYTES + 1)])).toThrow("at most 65535");
  });

  it("is refused when it ends within an entry", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 40 }), (entry) => {
        const bytes = encodeEntries([Buffer.from("before"), entry]);
        for (let end = 9; end < bytes.length; end += 1) {
          expect(() => decodeEntries(bytes.subarray(0, end))).toThrow("ends within its entry 1");
        }
      }),
    );
  });
});
