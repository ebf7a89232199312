import { createHash, randomBytes } from "node:crypto";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fingerprintOf, hashApiKey, makeApiKey, readApiKey } from "./api-key.ts";

const key = makeApiKey(randomBytes);

describe("an API key", () => {
  it("carries its id, 256 random bits and a checksum", () => {
    expect(key.text).toMatch(/^mk_[0-9A-Za-z]{8}_[0-9A-Za-z]{49}$/);
    expect(key.text.slice(3, 11)).toBe(key.id);
  });

  it("is read back as it was made", () => {
    fc.assert(
      fc.property(fc.infiniteStream(fc.nat(255)), (bytes) => {
        const random = (size: number) => Uint8Array.from([...bytes.take(size)]);
        const made = makeApiKey(random);
        expect(readApiKey(made.text)).toEqual({ kind: "key", key: made });
      }),
    );
  });

  it("is known as mistyped after any change to one of its characters", () => {
    const position = fc.nat({ max: key.text.length - 1 }).filter((at) => at >= 3);
    const character = fc.constantFrom("0", "a", "Z", "_", "-", ".", " ", "é");
    fc.assert(
      fc.property(position, character, (at, other) => {
        fc.pre(key.text[at] !== other);
        const text = key.text.slice(0, at) + other + key.text.slice(at + 1);
        expect(readApiKey(text)).toEqual({ kind: "mistyped" });
      }),
    );
  });

  it("is known as mistyped when it is cut off, doubled or has two neighbours swapped", () => {
    const { id, text: whole } = key;
    const secretAt = `mk_${id}_`.length;
    const at = Array.from(whole).findIndex((each, nth) => nth >= secretAt && each !== whole[nth + 1]);
    const swapped = `${whole.slice(0, at)}${whole[at + 1]}${whole[at]}${whole.slice(at + 2)}`;
    for (const text of [key.text.slice(0, -1), key.text + key.text, swapped, "mk_", "mk_short_x"]) {
      expect(readApiKey(text)).toEqual({ kind: "mistyped" });
    }
  });

  it("is told apart from other people's keys", () => {
    expect(readApiKey("ghp_0123456789")).toEqual({ kind: "foreign" });
    expect(readApiKey("")).toEqual({ kind: "foreign" });
  });

  it("is recognised by its hash, and no other key is", () => {
    const expected = createHash("sha256").update(key.text).digest();
    expect(hashApiKey(key)).toEqual(expected);
    expect(fingerprintOf(key.text)).toBe(expected.toString("latin1"));
    expect(hashApiKey(makeApiKey(randomBytes))).not.toEqual(expected);
  });

  it("keeps its id when it gets another secret", () => {
    const renewed = makeApiKey(randomBytes, key.id);
    expect(renewed.id).toBe(key.id);
    expect(renewed.text).not.toBe(key.text);
    expect(readApiKey(renewed.text)).toEqual({ kind: "key", key: renewed });
  });

  it("uses every digit about equally often", () => {
    const counts = new Map<string, number>();
    for (let i = 0; i < 2_000; i += 1) {
      for (const digit of makeApiKey(randomBytes).text.slice(12, 55))
        counts.set(digit, (counts.get(digit) ?? 0) + 1);
    }
    const expected = (2_000 * 43) / 62;
    // Chi-squared with 61 degrees of freedom: 120 is passed by chance once in 100,000 runs.
    const chiSquared = [...counts.values()].reduce(
      (sum, count) => sum + (count - expected) ** 2 / expected,
      0,
    );
    expect(counts.size).toBe(62);
    expect(chiSquared).toBeLessThan(120);
  });
});
