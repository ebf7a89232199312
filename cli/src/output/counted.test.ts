import { expect, it } from "vitest";
import { counted } from "./counted.ts";

it("what is counted stands in the singular or the plural", () => {
  expect([0, 1, 2].map((count) => counted(count, "sample"))).toEqual(["0 samples", "1 sample", "2 samples"]);
  expect([1, 2].map((count) => counted(count, "file is", "files are"))).toEqual(["1 file is", "2 files are"]);
});
