import { isStaleAt } from "@mainstay/metrics/model";
import { expect, it } from "vitest";
import { createAppendBatch } from "./append-batch.ts";

it("keeps every value, also those for which its columns grow", () => {
  const batch = createAppendBatch();
  const up = batch.addSeries([["__name__", "up"]]);
  for (let index = 0; index < 2000; index++) {
    if (index === 1024) batch.addStale(up, index);
    else batch.addSample(up, index, index + 1);
  }
  const { values, timestampsMs } = batch.finish();
  expect(isStaleAt(values, 1024)).toBe(true);
  expect([...values].filter((value, index) => index !== 1024 && value !== index + 1)).toEqual([]);
  expect([...timestampsMs]).toEqual(Array.from({ length: 2000 }, (_, index) => index));
});
