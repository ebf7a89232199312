import { describe, expect, it } from "vitest";
import { ByteIndex } from "./byte-index.ts";

const bytesOf = (text: string) => new TextEncoder().encode(text);

describe("an index of bytes", () => {
  it("finds each of many keys, and none that it does not hold", () => {
    const index = new ByteIndex();
    const keys = Array.from({ length: 5000 }, (_, number) => bytesOf(`series{number="${number * 7919}"}`));
    keys.forEach((key, number) => index.add(key, 0, key.length, number));
    expect(index.size).toBe(5000);
    expect(keys.every((key, number) => index.find(key, 0, key.length) === number)).toBe(true);
    expect(keys.some((key) => index.find(key, 0, key.length - 1) !== -1)).toBe(false);
  });

  it("looks at a part of the bytes it is given, and tells lengths apart", () => {
    const index = new ByteIndex();
    const bytes = bytesOf("xxabcxx");
    index.add(bytes, 2, 5, 7);
    expect(index.find(bytesOf("abc"), 0, 3)).toBe(7);
    expect(index.find(bytesOf("abc\0"), 0, 4)).toBe(-1);
    expect(index.find(bytesOf(""), 0, 0)).toBe(-1);
  });

  it("holds nothing once it is cleared", () => {
    const index = new ByteIndex();
    index.add(bytesOf("a"), 0, 1, 0);
    index.clear();
    expect([index.size, index.find(bytesOf("a"), 0, 1)]).toEqual([0, -1]);
  });
});
