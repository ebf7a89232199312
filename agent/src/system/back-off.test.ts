import { expect, it } from "vitest";
import { backOffMs } from "./back-off.ts";

it("waits longer after every failure, up to the limit, and not at all before the first", () => {
  const waits = [0, 1, 2, 3, 4, 10, 1000].map((failures) =>
    backOffMs(failures, { firstMs: 500, limitMs: 30_000 }),
  );
  expect(waits).toEqual([0, 500, 1000, 2000, 4000, 30_000, 30_000]);
});
