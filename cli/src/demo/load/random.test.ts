import { expect, test } from "vitest";
import { createRandom, drawInteger } from "./random.ts";

test("the same seed gives the same numbers, another seed others", () => {
  const take = (seed: number) => Array.from({ length: 5 }, createRandom(seed));
  expect(take(7)).toEqual(take(7));
  expect(take(7)).not.toEqual(take(8));
});

test("integers are drawn evenly from 0 to below the limit", () => {
  const random = createRandom(1);
  const counts = [0, 0, 0, 0];
  for (let draw = 0; draw < 40_000; draw++) counts[drawInteger(random, 4)]! += 1;
  for (const count of counts) expect(count).toBeGreaterThan(9_700);
});
