import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, it } from "vitest";
import { openTestDatabase } from "../../../../tests/support/database.ts";
import { createOrdeal } from "../../../../tests/support/killed-rotations.ts";

/** A few of the steps; `npm run faults` takes every one. */
const STEPS = [12, 60];

it.each(["wrapping-key", "data-keys"] as const)(
  "a rotation of the %s is carried on by the next server when one is killed, while others write",
  async (kind) => {
    const directory = await mkdtemp(path.join(tmpdir(), "mainstay-killed-"));
    const database = await openTestDatabase();
    const ordeal = await createOrdeal(database, directory);
    try {
      for (const step of STEPS) {
        expect(await ordeal.undergo(kind, step), `step ${step}`).toEqual({
          ...{ wasKilled: true, outcome: "complete", unreadable: [], leftBehind: 0 },
        });
      }
    } finally {
      const { failures, writes } = await ordeal.end();
      expect(failures).toEqual([]);
      expect(writes).toBeGreaterThan(100);
      await database.close();
      await rm(directory, { recursive: true, force: true });
    }
  },
  240_000,
);
