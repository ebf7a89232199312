import { expect, it } from "vitest";
import { xxHash64 } from "./label-hash.ts";

it("hashes as the reference of xxHash64 does", () => {
  const hash = (text: string) => xxHash64(new TextEncoder().encode(text)).toString(16);
  expect(hash("")).toBe("ef46db3751d8e999");
  expect(hash("a")).toBe("d24ec4f1a98c6e5b");
  expect(hash("abc")).toBe("44bc2cf5ad770999");
  expect(hash("Call me Ishmael. Some years ago--never mind how long precisely-")).toBe("2a2e85470d6fd96");
});
