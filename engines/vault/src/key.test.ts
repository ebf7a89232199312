import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { createKey, formatKey, formatKeys, keyCheckOf, keyOf, parseKey, parseKeys } from "./key.ts";
import { createSeededRandom } from "./testing/seeded-random.ts";

const key = createKey(createSeededRandom("key"));
const digits = key.secret.export().toString("base64");

describe("a key", () => {
  it("has the same id whenever it is made of the same bytes", () => {
    expect(keyOf(key.secret.export()).id).toBe(key.id);
    expect(key.id).toMatch(/^[0-9a-f]{16}$/);
    expect(keyCheckOf(key.secret).toString("hex")).toMatch(new RegExp(`^${key.id}`));
  });

  it("does not show its secret when it is printed or turned into JSON", () => {
    const shown = `${inspect(key, { depth: 9 })} ${JSON.stringify(key)}`;
    expect(shown).not.toContain(digits);
    expect(shown).not.toContain(key.secret.export().toString("hex"));
  });

  it("is written as a line and read again", () => {
    expect(parseKey(`  ${formatKey(key)}\n`).secret.equals(key.secret)).toBe(true);
  });

  it("of which a digit was mistyped is refused", () => {
    const line = formatKey(key);
    const at = line.length - 10;
    const wrong = line[at] === "A" ? "B" : "A";
    expect(() => parseKey(line.slice(0, at) + wrong + line.slice(at + 1))).toThrow("a digit is wrong");
  });

  it.each(["", "vault-key-1", "hunter2", formatKey(key).toUpperCase()])("is not read out of %j", (line) => {
    expect(() => parseKey(line)).toThrow("A key is a line");
  });

  it("is not made of a number of bytes other than 32", () => {
    expect(() => keyOf(Buffer.alloc(16))).toThrow("A key has 32 bytes, not 16.");
  });
});

describe("a key file", () => {
  it("holds several keys, comments and empty lines", () => {
    const other = createKey(createSeededRandom("other key"));
    const text = `# kept in the safe\n\n${formatKeys([key, other])}`;
    expect(parseKeys(text).map(({ id }) => id)).toEqual([key.id, other.id]);
  });
});
