import { describe, expect, it } from "vitest";
import { ann, useChangesHouse, wish } from "../../../../tests/support/changes-house.ts";
import type { JudgeSettings } from "./ports.ts";

const { here, until } = useChangesHouse();

const judge: JudgeSettings = {
  metrics: ["errors"],
  alpha: 0.01,
  warmupMs: 0,
  probes: { list: [{ path: "/", method: "GET", expect: 200 }], ratePerSecond: 20 },
};

async function begin() {
  const server = here().createServer({ prepared: { judge } });
  await here().run(server);
  const { id } = await server.changes.request(wish, ann);
  await until(server, id, "stepping");
  return { server, id };
}

/** Seconds in which every group of an arm was probed once, and so many of the candidate's groups badly. */
function probe(seconds: number, candidateBad: number): void {
  const fromMs = here().clock.now().getTime();
  for (let second = 1; second <= seconds; second++) {
    here().signal.addProbes(fromMs + second * 1000, { stable: [1, 0], candidate: [1, candidateBad] });
  }
}

describe("probes, where users ask too little", () => {
  it("are enough to go on, and the same evidence follows from what is stored", async () => {
    const { server, id } = await begin();
    probe(60, 0);
    await until(server, id, "baking");
    const advanced = (await server.changes.timeline(id)).find((entry) => entry.by === "judge");
    expect(advanced?.reason).toMatch(/^probes: candidate 0 % \(0 of \d+ requests\) bad/);
    expect(advanced?.evidence?.perMetric.map((each) => [each.metric, each.threshold])).toEqual([
      ["errors", 200],
      ["probes", 200],
    ]);
    expect(await server.changes.replay(id)).toMatchObject({ isEqual: true });
  });

  it("undo a candidate that answers them worse", async () => {
    const { server, id } = await begin();
    probe(20, 1);
    await until(server, id, "undone");
    expect((await server.changes.change(id)).outcome).toMatch(/^probes: candidate 100 %/);
  });

  it("do not vouch for a candidate that looks worse to the users there are", async () => {
    const { server, id } = await begin();
    const fromMs = here().clock.now().getTime();
    for (let second = 1; second <= 2; second++) {
      const oneIn = second === 1 ? 1 : 0;
      here().signal.add(fromMs + second * 1000, { stable: [50, 0], candidate: [1, oneIn] });
    }
    probe(60, 0);
    await here().clock.advance(65_000);
    expect(await server.changes.change(id)).not.toMatchObject({ state: "baking" });
  });
});
