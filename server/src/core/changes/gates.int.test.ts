import type { GateAnswer, PlannedGate } from "@mainstay/rollout";
import { describe, expect, it } from "vitest";
import { ann, useChangesHouse, wish, type ServerOptions } from "../../../../tests/support/changes-house.ts";

const { here, until, healthyTraffic } = useChangesHouse();

const LATENCY: PlannedGate = {
  name: "latency",
  question: { kind: "threshold", query: "p99", min: null, max: 0.5 },
  noData: "hold",
  forMs: 0,
  intervalMs: 1000,
};
const of = (value: number): GateAnswer => ({ values: [{ labels: "", value }] });
const NOTHING: GateAnswer = { none: "the store does not answer" };

/** A server whose changes have these gates; what they are answered can be altered. */
function serverWith(gates: PlannedGate[], first: GateAnswer | Promise<GateAnswer>) {
  const world = { answer: first, asked: 0 };
  const plan: NonNullable<ServerOptions["prepared"]>["plan"] = {
    stages: [
      { weight: 1000, bakeMs: 5000 },
      { weight: 10_000, bakeMs: 0 },
    ],
    ...{ keepWarmMs: 60_000, gateDeadlineMs: 30_000, onTooLittleEvidence: "hold", hasStable: true, gates },
    skips: ["backup", "migrating"],
  };
  const server = here().createServer({
    prepared: { plan },
    gates: {
      ask: async () => {
        world.asked += 1;
        return world.answer;
      },
    },
  });
  return { server, world };
}

async function start(server: ReturnType<typeof serverWith>["server"]): Promise<string> {
  await here().run(server);
  const { id } = await server.changes.request(wish, ann);
  healthyTraffic();
  return id;
}

type Server = ReturnType<typeof serverWith>["server"];
const gatesOf = async (server: Server, id: string) =>
  (await server.changes.change(id)).gates.map(({ name, state, value }) => ({ name, state, value }));
async function untilGate(server: Server, id: string, state: string): Promise<void> {
  for (let step = 0; step < 400; step++) {
    if ((await gatesOf(server, id)).some((each) => each.state === state)) return;
    await here().clock.advance(250);
  }
  throw new Error(`no gate is ${state}`);
}

describe("gates of a change", () => {
  it("let it pass when they are well, with their numbers in the timeline", async () => {
    const { server } = serverWith([LATENCY], of(0.2));
    const id = await start(server);
    await until(server, id, "baking");
    const entry = (await server.changes.timeline(id)).find(
      ({ from_state, stage }) => from_state === "stepping" && stage === 1,
    );
    expect(entry?.reason).toContain("gate latency: 0.2, at most 0.5");
    expect(entry?.gates).toMatchObject([{ name: "latency", state: "passed", value: 0.2 }]);
  });

  it("undo it when one fails: named in outcome, timeline, report and audit", async () => {
    const { server, world } = serverWith([LATENCY], of(0.2));
    const id = await start(server);
    await untilGate(server, id, "passed");
    world.answer = of(0.9);
    await until(server, id, "undone");
    const reason = "gate latency failed: 0.9, more than 0.5";
    expect((await server.changes.change(id)).outcome).toBe(reason);
    const entry = (await server.changes.timeline(id)).find(
      ({ to_state }) => to_state === "restoring-weights",
    );
    expect(entry).toMatchObject({
      by: "gate",
      reason,
      gates: [{ name: "latency", state: "broken", value: 0.9 }],
    });
    const { entries } = await server.audit.list({ limit: 100, filter: { change: id } });
    expect(entries.map((each) => each.reason)).toContain(reason);
    expect((await server.report(id)).passages.map((each) => each.reason)).toContain(reason);
  });

  it("hold it while one has no data, say so once in the timeline, and let it go on afterwards", async () => {
    const { server, world } = serverWith([LATENCY], NOTHING);
    const id = await start(server);
    await untilGate(server, id, "no-data");
    const asked = world.asked;
    await here().clock.advance(30_000);
    while (world.asked < asked + 3) await here().clock.advance(1000);
    expect(await server.changes.change(id)).toMatchObject({ state: "stepping", stage: 0 });
    world.answer = of(0.1);
    await until(server, id, "baking");
    const told = (await server.changes.timeline(id))
      .filter(({ by }) => by === "gate")
      .map(({ reason }) => reason);
    expect(told).toEqual([
      "gate latency has no data: the store does not answer",
      "gate latency is passed: 0.1, at most 0.5",
    ]);
    const { entries } = await server.audit.list({ limit: 100, filter: { change: id } });
    const audited = entries.filter(({ action }) => action === "changes.gate_changed");
    expect(audited.map(({ reason }) => reason).toReversed()).toEqual(told);
  });

  it("undo it without data where they were told to, after a minute", async () => {
    const strict = serverWith([{ ...LATENCY, noData: "fail" }], NOTHING).server;
    const id = await start(strict);
    await until(strict, id, "undone");
    expect((await strict.changes.change(id)).outcome).toContain(
      "gate latency has no data: the store does not answer",
    );
  });

  it("go past one without data that is ignored", async () => {
    const { server } = serverWith([{ ...LATENCY, noData: "ignore" }], NOTHING);
    await until(server, await start(server), "baking");
  });

  it("are overridden by a promotion", async () => {
    const { server } = serverWith([LATENCY], NOTHING);
    const id = await start(server);
    await untilGate(server, id, "no-data");
    await server.changes.command(id, { name: "promote", reason: "we looked" }, ann);
    expect(await server.changes.change(id)).toMatchObject({ state: "stepping", stage: 1 });
  });

  it("never delay an undo: not even when asking them takes for ever", async () => {
    const { server, world } = serverWith([LATENCY], new Promise<GateAnswer>(() => {}));
    const id = await start(server);
    await until(server, id, "stepping");
    here().fake.world.failure = "the candidate crashed";
    await until(server, id, "undone");
    expect(world.asked).toBeLessThanOrEqual(2);
    expect((await server.changes.change(id)).outcome).toBe("the candidate crashed");
  });
});

describe("a gate that compares counts", () => {
  async function begin(isOptional: boolean) {
    const judge = { metrics: ["errors" as const], alpha: 0.01, warmupMs: 0 };
    const counted = [{ gate: "checkout", isOptional }];
    const server = here().createServer({ prepared: { judge: { ...judge, counted } } });
    await here().run(server);
    const { id } = await server.changes.request(wish, ann);
    healthyTraffic();
    await until(server, id, "stepping");
    const count = (seconds: number, candidateBad: number) => {
      const fromMs = here().clock.now().getTime();
      for (let second = 1; second <= seconds; second++)
        here().signal.addCounts(fromMs + second * 1000, { stable: [20, 0], candidate: [20, candidateBad] });
    };
    return { server, id, count };
  }

  it("is judged beside the requests, on its part of alpha, and replays to the same", async () => {
    const { server, id, count } = await begin(false);
    count(60, 5);
    await until(server, id, "undone");
    const { outcome, evidence } = await server.changes.change(id);
    expect(outcome).toMatch(/^gate checkout: candidate 25 % \(\d+ of \d+ requests\) bad/);
    expect(evidence?.perMetric.map(({ metric, threshold }) => [metric, Math.round(threshold)])).toEqual([
      ["errors", 150],
      ["gate checkout", 300],
    ]);
    expect(await server.changes.replay(id)).toMatchObject({ isEqual: true });
  });

  it("holds the change as long as nothing is counted, unless that was to be ignored", async () => {
    const strict = await begin(false);
    await here().clock.advance(60_000);
    expect(await strict.server.changes.change(strict.id)).toMatchObject({ state: "stepping", stage: 0 });
    strict.count(60, 0);
    await until(strict.server, strict.id, "baking");
  });

  it("is left out where it is to be ignored and nothing is counted", async () => {
    const { server, id } = await begin(true);
    await until(server, id, "baking");
  });
});
