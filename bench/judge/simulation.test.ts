import { HEALTHY, WORLDS } from "@mainstay/evidence/simulation";
import { describe, expect, it } from "vitest";
import { simulate, type Task } from "./simulation.ts";

const task: Task = {
  world: "independent",
  overseer: "judge",
  ratePerSecond: 20,
  regression: HEALTHY,
  stages: [0.1, 0.25, 0.5].map((weight) => ({ weight, bakeMs: 60_000 })),
  policy: "hold",
  runs: 20,
  seed: 1,
};

/** A few seeded runs, to notice that something broke; the figures come from the benchmark. */
describe("a simulated rollout", () => {
  it.each(WORLDS.map((world) => world.name))(
    "hardly undoes a healthy candidate in the world: %s",
    (world) => {
      const { ends } = simulate({ ...task, world, policy: "advance" });
      // α = 1 % allows for one in a hundred and sixty.
      expect(ends.undone).toBeLessThanOrEqual(1);
      expect(ends.promoted).toBe(task.runs - ends.undone);
    },
  );

  it.each([
    ["five times the errors", { ...HEALTHY, errorFactor: 5 }],
    ["twice the latency", { ...HEALTHY, latencyFactor: 2 }],
  ])("undoes a candidate with %s, however long it takes", (_, regression) => {
    expect(simulate({ ...task, regression }).ends).toEqual({ undone: 20, promoted: 0, held: 0 });
  });

  it("gives the same result every time", () => {
    const once = { ...task, runs: 3, regression: { ...HEALTHY, errorFactor: 5 } };
    expect(simulate(once)).toEqual(simulate(once));
  });
});
