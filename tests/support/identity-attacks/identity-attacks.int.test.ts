import { describe, expect, it } from "vitest";
import { ATTACKS } from "./attacks.ts";
import { openMainstay } from "./mainstay-target.ts";

const MINIMUM = 150;

describe("the list of attacks", () => {
  it("holds enough of them, each once", () => {
    expect(ATTACKS.length).toBeGreaterThanOrEqual(MINIMUM);
    expect(new Set(ATTACKS.map(({ id }) => id)).size).toBe(ATTACKS.length);
    expect(new Set(ATTACKS.map(({ tries }) => tries)).size).toBe(ATTACKS.length);
  });
});

for (const [family, attacks] of Map.groupBy(ATTACKS, (attack) => attack.family)) {
  describe(`Mainstay withstands (${family})`, () => {
    for (const { tries, isWithstood, settings } of attacks) {
      it(tries, async () => {
        const target = await openMainstay(settings);
        try {
          expect(await isWithstood(target)).toBe(true);
        } finally {
          await target.close();
        }
      });
    }
  });
}
