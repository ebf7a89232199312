import { planStrategy, type RolloutPlan, type Strategy } from "@mainstay/rollout";
import { describe, expect, it } from "vitest";
import { ann, useChangesHouse, wish } from "../../../../tests/support/changes-house.ts";
import type { Preparation } from "./ports.ts";

const { here, until, healthyTraffic } = useChangesHouse();

const ROLLING: Strategy = {
  name: "rolling",
  counts: { candidate: 2, stable: 2 },
  settings: { maxSurge: 1, maxUnavailable: 0, bakeMs: 2000 },
};
const LIMITS: Partial<Preparation> = {
  judge: { metrics: [], alpha: 0.01, warmupMs: 0 },
  limits: { errorRate: 0.02 },
};

function preparedBy(strategy: Strategy): Partial<Preparation> {
  const { stages, keepWarmMs, verify } = planStrategy({
    ...{ strategy, hasStable: true, isVerified: true, keepWarmMs: 60_000 },
  });
  const plan: RolloutPlan = {
    ...{ stages, keepWarmMs, verify, hasStable: true, gateDeadlineMs: 30_000 },
    onTooLittleEvidence: "hold",
    skips: ["backup", "migrating"],
  };
  return { plan };
}

describe("a server that dies", () => {
  it.each([
    { strategy: ROLLING, state: "verifying", end: "succeeded" },
    { strategy: ROLLING, state: "restoring-instances", end: "undone" },
    { strategy: { name: "blue-green" } as const, state: "verifying", end: "baking" },
  ])("in $state of $strategy.name leaves a change that ends $end", async ({ strategy, state, end }) => {
    const first = here().createServer({ prepared: preparedBy(strategy) });
    await here().run(first);
    const { id } = await first.changes.request(wish, ann);
    here().fake.world.stuckIn.add(state);
    if (end === "undone") {
      await until(first, id, "stepping");
      await first.changes.command(id, { name: "abort", reason: null }, ann);
    }
    healthyTraffic();
    await until(first, id, state);
    await first.runner.stop();
    here().fake.world.stuckIn.clear();
    const second = here().createServer({ prepared: preparedBy(strategy) });
    await here().run(second);
    healthyTraffic(120);
    await until(second, id, end);
  });
});

describe("where no arm is beside the candidate", () => {
  it("an absolute ceiling undoes it after the switch", async () => {
    const server = here().createServer({ prepared: { ...preparedBy({ name: "blue-green" }), ...LIMITS } });
    await here().run(server);
    const { id } = await server.changes.request(wish, ann);
    await until(server, id, "baking");
    const fromMs = here().clock.now().getTime();
    for (let second = 1; second <= 10; second++) {
      here().signal.add(fromMs + second * 1000, { stable: [0, 0], candidate: [10, 1] });
    }
    await until(server, id, "undone");
    const { outcome } = await server.changes.change(id);
    expect(outcome).toMatch(/requests of the candidate failed, more than the limit of 2%/);
    expect(await server.changes.replay(id)).toMatchObject({ isEqual: true });
  });

  it("what both arms do alike is not held against it", async () => {
    const server = here().createServer({ prepared: LIMITS });
    await here().run(server);
    const { id } = await server.changes.request(wish, ann);
    await until(server, id, "stepping");
    const fromMs = here().clock.now().getTime();
    for (let second = 1; second <= 5; second++) {
      here().signal.add(fromMs + second * 1000, { stable: [50, 5], candidate: [10, 1] });
    }
    await here().clock.advance(5000);
    expect(await server.changes.change(id)).toMatchObject({ state: "stepping" });
  });
});
