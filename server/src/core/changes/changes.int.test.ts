import { AppError } from "@mainstay/api";
import { describe, expect, it } from "vitest";
import { ann, useChangesHouse, wish } from "../../../../tests/support/changes-house.ts";

const { here, until, healthyTraffic } = useChangesHouse();

describe("a change that goes well", () => {
  it("passes its states, does each act once, and leaves a timeline and an audit trail", async () => {
    const server = here().createServer();
    await here().run(server);
    const { id } = await server.changes.request(wish, ann);
    healthyTraffic();
    await until(server, id, "succeeded");
    const timeline = await server.changes.timeline(id);
    expect(timeline.map((entry) => entry.to_state)).toEqual([
      ...["requested", "locked", "preflight", "starting", "gating", "stepping", "stepping"],
      ...["baking", "draining", "succeeded"],
    ]);
    expect(here().fake.world.acts).toEqual(["apply start", "apply weigh", "apply weigh", "apply settle"]);
    const { entries } = await server.audit.list({ limit: 100, filter: { change: id } });
    expect(entries).toHaveLength(timeline.length);
    expect(entries.at(-1)).toMatchObject({ actor: { name: "ann" }, requestId: "req_1" });
    expect(await server.changes.locks()).toEqual([]);
  });

  it("advances by the judge's verdict, stores it with its numbers, and replays to the same", async () => {
    const server = here().createServer();
    await here().run(server);
    const { id } = await server.changes.request(wish, ann);
    healthyTraffic();
    await until(server, id, "baking");
    const advanced = (await server.changes.timeline(id)).filter((entry) => entry.by === "judge");
    expect(advanced).toHaveLength(1);
    expect(advanced[0]?.evidence).toMatchObject({ verdict: "no-harm" });
    expect(await server.changes.replay(id)).toMatchObject({ isEqual: true });
  });

  it("is told in one report: every state with its duration, the evidence, and what was audited", async () => {
    const server = here().createServer();
    await here().run(server);
    const { id } = await server.changes.request({ ...wish, reason: "new prices" }, ann);
    healthyTraffic();
    await until(server, id, "succeeded");
    const report = await server.report(id);
    const timeline = await server.changes.timeline(id);
    expect(report.passages.map((each) => each.state)).toEqual(timeline.map((entry) => entry.to_state));
    const lasted = report.passages.reduce((total, each) => total + (each.durationMs ?? 0), 0);
    expect(lasted).toBe(report.durationMs);
    const staged = report.passages.find((each) => each.weight === 0.1);
    expect(staged).toMatchObject({ state: "stepping", leftBy: "judge", evidence: { verdict: "no-harm" } });
    expect(report.audit).toHaveLength(timeline.length);
    expect(report.change).toMatchObject({ reason: "new prices", requestedBy: { name: "ann" } });
  });

  it("keeps the old release warm, and gives way to the next change", async () => {
    const server = here().createServer();
    await here().run(server);
    const first = await server.changes.request(wish, ann);
    healthyTraffic();
    await until(server, first.id, "baking");
    const second = await server.changes.request({ ...wish, candidate: "rel_newer" }, ann);
    await until(server, first.id, "succeeded");
    await until(server, second.id, "stepping");
  });
});

describe("a change that goes wrong", () => {
  it("is undone on evidence of harm: weights first, then the candidate is drained", async () => {
    const server = here().createServer();
    await here().run(server);
    const { id } = await server.changes.request(wish, ann);
    await until(server, id, "stepping");
    for (let second = 1; second <= 10; second++) {
      here().signal.add(here().clock.now().getTime() + second * 1000, { stable: [50, 0], candidate: [5, 1] });
    }
    await until(server, id, "undone");
    const row = await server.changes.change(id);
    expect(row.evidence).toMatchObject({ verdict: "harm" });
    expect(row.weight).toBe(0);
    expect(here().fake.world.acts).toEqual(["apply start", "apply weigh", "undo weigh", "undo start"]);
    const verdict = (await server.changes.timeline(id)).find(
      (entry) => entry.to_state === "restoring-weights",
    );
    expect(verdict).toMatchObject({ by: "judge", evidence: { verdict: "harm" } });
    expect(await server.changes.replay(id)).toMatchObject({ isEqual: true });
  });

  it("ends when its kind refuses it by the time its turn comes", async () => {
    const server = here().createServer();
    const { id } = await server.changes.request(wish, ann);
    here().fake.world.refusal = new AppError("CHANGE_NOTHING_TO_DO", {
      candidate: "rel_new",
      target: "production/shop",
    });
    await here().run(server);
    await until(server, id, "undone");
    expect((await server.changes.change(id)).outcome).toBe("rel_new already serves production/shop");
  });

  it("is undone when its gate is not passed in time", async () => {
    const server = here().createServer();
    await here().run(server);
    here().fake.world.stuckIn.add("gating");
    const { id } = await server.changes.request(wish, ann);
    await until(server, id, "undone");
    expect((await server.changes.change(id)).outcome).toMatch(/not healthy within 30 s/);
    expect(here().fake.world.acts).not.toContain("apply weigh");
  });

  it("is undone when the candidate fails in traffic", async () => {
    const server = here().createServer();
    await here().run(server);
    const { id } = await server.changes.request(wish, ann);
    await until(server, id, "stepping");
    here().fake.world.failure = "web crashed 3 times";
    await until(server, id, "undone");
    expect((await server.changes.change(id)).outcome).toBe("web crashed 3 times");
  });

  it("tries an effect again when the agent is away, instead of failing the change", async () => {
    const server = here().createServer();
    await here().run(server);
    here().fake.world.failOnce.set("start", new AppError("AGENT_UNREACHABLE", { reason: "restarting" }));
    const { id } = await server.changes.request(wish, ann);
    await until(server, id, "stepping");
    expect(here().fake.world.acts.filter((act) => act === "apply start")).toHaveLength(1);
  });
});

describe("the lock of a target", () => {
  it("refuses a second change while one is under way, and names it", async () => {
    const server = here().createServer();
    const first = await server.changes.request(wish, ann);
    const refusal = await server.changes.request(wish, ann).catch((error: unknown) => error);
    expect(refusal).toMatchObject({ code: "CHANGE_LOCKED", params: { change: first.id, by: "ann" } });
  });

  it("is not taken over from a server that still beats, but from one that stopped", async () => {
    const first = here().createServer({ owner: "server-1" });
    await here().run(first);
    const { id } = await first.changes.request(wish, ann);
    await until(first, id, "stepping");
    const second = here().createServer({ owner: "server-2" });
    await here().run(second);
    await here().clock.advance(5000);
    expect((await second.changes.locks())[0]).toMatchObject({ owner: "server-1" });
    await first.runner.stop();
    healthyTraffic(120);
    await until(second, id, "baking");
    const reasons = (await second.changes.timeline(id)).map((entry) => entry.reason);
    expect(reasons).toContain("the server came back; the stage starts anew");
  });
});

describe("a server that dies", () => {
  it.each(["requested", "preflight", "starting", "gating", "stepping", "baking", "draining"])(
    "in %s leaves a change that the next one brings to its end",
    async (state) => {
      const first = here().createServer();
      await here().run(first);
      here().fake.world.stuckIn.add(state);
      if (state === "requested") await first.runner.stop();
      const { id } = await first.changes.request(wish, ann);
      healthyTraffic();
      await until(first, id, state);
      await first.runner.stop();
      here().fake.world.stuckIn.clear();
      const second = here().createServer();
      await here().run(second);
      healthyTraffic(120);
      await until(second, id, "succeeded");
    },
  );

  it.each(["restoring-weights", "draining-candidate"])(
    "in %s leaves an undo that the next one finishes",
    async (state) => {
      const first = here().createServer();
      await here().run(first);
      const { id } = await first.changes.request(wish, ann);
      await until(first, id, "stepping");
      here().fake.world.stuckIn.add(state);
      await first.changes.command(id, { name: "abort", reason: null }, ann);
      await until(first, id, state);
      await first.runner.stop();
      here().fake.world.stuckIn.clear();
      const second = here().createServer();
      await here().run(second);
      await until(second, id, "undone");
    },
  );
});

describe("an operator", () => {
  it("pauses, and nothing advances until it is resumed", async () => {
    const server = here().createServer();
    await here().run(server);
    const { id } = await server.changes.request(wish, ann);
    await until(server, id, "stepping");
    await server.changes.command(id, { name: "pause", reason: "lunch" }, ann);
    healthyTraffic();
    await here().clock.advance(20_000);
    expect(await server.changes.change(id)).toMatchObject({ state: "paused", weight: 1000 });
    await server.changes.command(id, { name: "resume", reason: null }, ann);
    await until(server, id, "baking");
  });

  it("rolls back a change whose old release is warm", async () => {
    const server = here().createServer();
    await here().run(server);
    const { id } = await server.changes.request(wish, ann);
    healthyTraffic();
    await until(server, id, "baking");
    expect((await server.changes.rollback(id, null, ann)).id).toBe(id);
    await until(server, id, "undone");
  });

  it("rolls back a change that has ended by bringing the release before it back at once", async () => {
    const server = here().createServer();
    await here().run(server);
    const { id } = await server.changes.request(wish, ann);
    healthyTraffic();
    await until(server, id, "succeeded");
    const back = await server.changes.rollback(id, null, ann);
    expect(back).toMatchObject({ candidate: "rel_old", immediate: true });
  });

  it("rolls back a change that takes leave of the release before it as soon as it has", async () => {
    const server = here().createServer();
    await here().run(server);
    const { id } = await server.changes.request(wish, ann);
    healthyTraffic();
    here().fake.world.stuckIn.add("draining");
    await until(server, id, "draining");
    const back = await server.changes.rollback(id, null, ann);
    expect(back).toMatchObject({ candidate: "rel_old", immediate: true, state: "requested" });
    here().fake.world.stuckIn.clear();
    await until(server, id, "succeeded");
    await until(server, back.id, "succeeded");
  });

  it("aborts a change that has not begun", async () => {
    const server = here().createServer();
    const { id } = await server.changes.request(wish, ann);
    expect(await server.changes.command(id, { name: "abort", reason: null }, ann)).toMatchObject({
      state: "undone",
    });
    await server.changes.request(wish, ann);
  });

  it("is told when a command means nothing", async () => {
    const server = here().createServer();
    const { id } = await server.changes.request(wish, ann);
    const refusal = server.changes.command(id, { name: "promote", reason: null }, ann);
    await expect(refusal).rejects.toMatchObject({ code: "CHANGE_REFUSED" });
  });
});
