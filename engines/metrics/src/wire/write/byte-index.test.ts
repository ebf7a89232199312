import { describe, expect, it } from "vitest";
import { ByteIndex } from "./byte-index.ts";

const keyOf = (text: string) => {
  const bytes = new TextEncoder().encode(text);
  return { bytes, from: 0, to: bytes.length };
};

describe("an index of bytes", () => {
  it("finds each of many keys, and none that it does not hold", () => {
    const index = new ByteIndex();
    const keys = Array.from({ length: 5000 }, (_, number) => keyOf(`series{number="${number * 7919}"}`));
    keys.forEach((key, number) => index.add(key, number));
    expect(index.size).toBe(5000);
    expect(keys.every((key, number) => index.find(key) === number)).toBe(true);
    expect(keys.some((key) => index.find({ ...key, to: key.to - 1 }) !== -1)).toBe(false);
  });

  it("looks at a part of the bytes it is given, and tells lengths apart", () => {
    const index = new ByteIndex();
    index.add({ ...keyOf("xxabcxx"), from: 2, to: 5 }, 7);
    expect(index.find(keyOf("abc"))).toBe(7);
    expect(index.find(keyOf("abc\0"))).toBe(-1);
    expect(index.find(keyOf(""))).toBe(-1);
  });

  it("finds keys in whatever order they are asked for", () => {
    const index = new ByteIndex();
    const keys = Array.from({ length: 300 }, (_, number) => keyOf(`series{number="${number}"}`));
    keys.forEach((key, number) => index.add(key, number));
    const numbers = [...keys.keys()];
    const orders = [numbers, numbers.toReversed(), numbers.map((number) => (number * 7) % 300), numbers];
    for (const order of orders) {
      expect(order.map((number) => index.find(keys[number] ?? keyOf("")))).toEqual(order);
      expect(index.find(keyOf("none"))).toBe(-1);
    }
  });

  it("holds nothing once it is cleared", () => {
    const index = new ByteIndex();
    index.add(keyOf("a"), 0);
    index.clear();
    expect([index.size, index.find(keyOf("a"))]).toEqual([0, -1]);
  });
});
