import { randomBytes } from "node:crypto";
import { AppError } from "@mainstay/api";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openTestDatabase } from "../../../../tests/support/database.ts";
import { silentLog } from "../../../../tests/support/log.ts";
import { createVirtualClock, type VirtualClock } from "../../kernel/clock.ts";
import { createEvents } from "../../kernel/events/index.ts";
import { createIds } from "../../kernel/ids.ts";
import { createMetrics } from "../../kernel/metrics.ts";
import { auditStream, createAudit } from "../audit/index.ts";
import { createFakeDriver, createFakeSignal } from "./fake-driver.ts";
import type { ChangeKind, Preparation } from "./ports.ts";
import { createChangesRoom } from "./room.ts";
import type { Origin } from "./transitions.ts";

const ann: Origin = {
  actor: { type: "user", id: "usr_ann", name: "ann" },
  requestId: "req_1",
  address: "127.0.0.1",
};
const START_MS = Date.parse("2026-11-01T12:00:00Z");

let database: Awaited<ReturnType<typeof openTestDatabase>>;
let clock: VirtualClock;
let fake: ReturnType<typeof createFakeDriver>;
let signal: ReturnType<typeof createFakeSignal>;
let running: { stop(): Promise<void> | void }[] = [];

beforeEach(async () => {
  database = await openTestDatabase();
  clock = createVirtualClock(START_MS);
  fake = createFakeDriver();
  signal = createFakeSignal();
});
afterEach(async () => {
  for (const each of running) await each.stop();
  running = [];
  await database.close();
});

const kind = (stable: string | null = "rel_old"): ChangeKind => ({
  kind: "release",
  drivers: [fake.driver],
  checks: fake.world.checks,
  signal: signal.signal,
  prepare: async ({ candidate }) => {
    if (fake.world.refusal) throw fake.world.refusal;
    return prepared(candidate, stable);
  },
});

const prepared = (candidate: string, stable: string | null): Preparation => ({
  target: "production/shop",
  service: "shop",
  environment: "production",
  candidate,
  stable,
  plan: {
    stages: [
      { weight: 1000, bakeMs: 5000 },
      { weight: 10_000, bakeMs: 0 },
    ],
    keepWarmMs: 60_000,
    gateDeadlineMs: 30_000,
    onTooLittleEvidence: "hold",
    hasStable: stable !== null,
    skips: ["backup", "migrating"],
  },
  judge: { metrics: ["errors"], alpha: 0.01, warmupMs: 0 },
  limits: {},
});

/** A server of its own on the shared database, as after a restart. */
function createServer(options: { owner?: string; stable?: string | null } = {}) {
  const ids = createIds({ clock, random: randomBytes });
  const { db } = database;
  const metrics = createMetrics({ clock, log: silentLog });
  const events = createEvents({
    database,
    clock,
    ids,
    log: silentLog,
    metrics,
    source: "test",
    streams: [auditStream],
  });
  const audit = createAudit({ db, clock, ids });
  const room = createChangesRoom({
    db,
    clock,
    ids,
    audit,
    events,
    log: silentLog,
    kinds: [kind(options.stable)],
    owner: options.owner ?? "server-1",
    listen: database.listen,
  });
  return { ...room, audit };
}

async function run(server: ReturnType<typeof createServer>): Promise<void> {
  running.push(server.runner);
  await server.runner.start();
}

const FOUND = { severity: "error", isForceable: false, isForced: false } as const;
const wish = { kind: "release", candidate: "rel_new", immediate: false, reason: null };
type Changes = ReturnType<typeof createServer>["changes"];

/** Lets virtual time pass, in small steps, until the change is in this state. */
async function until(changes: Changes, id: string, state: string): Promise<void> {
  for (let step = 0; step < 1500; step++) {
    if ((await changes.change(id)).state === state) return;
    await clock.advance(250);
  }
  const { state: last, outcome } = await changes.change(id);
  throw new Error(`the change is ${last} (${outcome ?? "no outcome"}), not ${state}`);
}

/** A minute of traffic in which no arm does worse than the other. */
function healthyTraffic(seconds = 60): void {
  const fromMs = clock.now().getTime();
  for (let second = 1; second <= seconds; second++) {
    signal.add(fromMs + second * 1000, { stable: [50, 0], candidate: [5, 0] });
  }
}

describe("a change that goes well", () => {
  it("passes its states, does each act once, and leaves a timeline and an audit trail", async () => {
    const server = createServer();
    await run(server);
    const { id } = await server.changes.request(wish, ann);
    healthyTraffic();
    await until(server.changes, id, "succeeded");
    const timeline = await server.changes.timeline(id);
    expect(timeline.map((entry) => entry.to_state)).toEqual([
      ...["requested", "locked", "preflight", "starting", "gating", "stepping", "stepping"],
      ...["baking", "draining", "succeeded"],
    ]);
    expect(fake.world.acts).toEqual(["apply start", "apply weigh", "apply weigh", "apply settle"]);
    const { entries } = await server.audit.list({ limit: 100, filter: { change: id } });
    expect(entries).toHaveLength(timeline.length);
    expect(entries.at(-1)).toMatchObject({ actor: { name: "ann" }, requestId: "req_1" });
    expect(await server.changes.locks()).toEqual([]);
  });

  it("advances by the judge's verdict, stores it with its numbers, and replays to the same", async () => {
    const server = createServer();
    await run(server);
    const { id } = await server.changes.request(wish, ann);
    healthyTraffic();
    await until(server.changes, id, "baking");
    const advanced = (await server.changes.timeline(id)).filter((entry) => entry.by === "judge");
    expect(advanced).toHaveLength(1);
    expect(advanced[0]?.evidence).toMatchObject({ verdict: "no-harm" });
    expect(await server.changes.replay(id)).toMatchObject({ isEqual: true });
  });

  it("keeps the old release warm, and gives way to the next change", async () => {
    const server = createServer();
    await run(server);
    const first = await server.changes.request(wish, ann);
    healthyTraffic();
    await until(server.changes, first.id, "baking");
    const second = await server.changes.request({ ...wish, candidate: "rel_newer" }, ann);
    await until(server.changes, first.id, "succeeded");
    await until(server.changes, second.id, "stepping");
  });
});

describe("a change that goes wrong", () => {
  it("is undone on evidence of harm: weights first, then the candidate is drained", async () => {
    const server = createServer();
    await run(server);
    const { id } = await server.changes.request(wish, ann);
    await until(server.changes, id, "stepping");
    for (let second = 1; second <= 10; second++) {
      signal.add(clock.now().getTime() + second * 1000, { stable: [50, 0], candidate: [5, 1] });
    }
    await until(server.changes, id, "undone");
    const row = await server.changes.change(id);
    expect(row.evidence).toMatchObject({ verdict: "harm" });
    expect(row.weight).toBe(0);
    expect(fake.world.acts).toEqual(["apply start", "apply weigh", "undo weigh", "undo start"]);
    const verdict = (await server.changes.timeline(id)).find(
      (entry) => entry.to_state === "restoring-weights",
    );
    expect(verdict).toMatchObject({ by: "judge", evidence: { verdict: "harm" } });
    expect(await server.changes.replay(id)).toMatchObject({ isEqual: true });
  });

  it("ends when its kind refuses it by the time its turn comes", async () => {
    const server = createServer();
    const { id } = await server.changes.request(wish, ann);
    fake.world.refusal = new AppError("CHANGE_NOTHING_TO_DO", {
      candidate: "rel_new",
      target: "production/shop",
    });
    await run(server);
    await until(server.changes, id, "undone");
    expect((await server.changes.change(id)).outcome).toBe("rel_new already serves production/shop");
  });

  it("is undone when its gate is not passed in time", async () => {
    const server = createServer();
    await run(server);
    fake.world.stuckIn.add("gating");
    const { id } = await server.changes.request(wish, ann);
    await until(server.changes, id, "undone");
    expect((await server.changes.change(id)).outcome).toMatch(/not healthy within 30 s/);
    expect(fake.world.acts).not.toContain("apply weigh");
  });

  it("is undone when the candidate fails in traffic", async () => {
    const server = createServer();
    await run(server);
    const { id } = await server.changes.request(wish, ann);
    await until(server.changes, id, "stepping");
    fake.world.failure = "web crashed 3 times";
    await until(server.changes, id, "undone");
    expect((await server.changes.change(id)).outcome).toBe("web crashed 3 times");
  });

  it("tries an effect again when the agent is away, instead of failing the change", async () => {
    const server = createServer();
    await run(server);
    fake.world.failOnce.set("start", new AppError("AGENT_UNREACHABLE", { reason: "restarting" }));
    const { id } = await server.changes.request(wish, ann);
    await until(server.changes, id, "stepping");
    expect(fake.world.acts.filter((act) => act === "apply start")).toHaveLength(1);
  });
});

describe("the lock of a target", () => {
  it("refuses a second change while one is under way, and names it", async () => {
    const server = createServer();
    const first = await server.changes.request(wish, ann);
    const refusal = await server.changes.request(wish, ann).catch((error: unknown) => error);
    expect(refusal).toMatchObject({ code: "CHANGE_LOCKED", params: { change: first.id, by: "ann" } });
  });

  it("is not taken over from a server that still beats, but from one that stopped", async () => {
    const first = createServer({ owner: "server-1" });
    await run(first);
    const { id } = await first.changes.request(wish, ann);
    await until(first.changes, id, "stepping");
    const second = createServer({ owner: "server-2" });
    await run(second);
    await clock.advance(5000);
    expect((await second.changes.locks())[0]).toMatchObject({ owner: "server-1" });
    await first.runner.stop();
    healthyTraffic(120);
    await until(second.changes, id, "baking");
    const reasons = (await second.changes.timeline(id)).map((entry) => entry.reason);
    expect(reasons).toContain("the server came back; the stage starts anew");
  });
});

describe("a server that dies", () => {
  it.each(["requested", "preflight", "starting", "gating", "stepping", "baking", "draining"])(
    "in %s leaves a change that the next one brings to its end",
    async (state) => {
      const first = createServer();
      await run(first);
      fake.world.stuckIn.add(state);
      if (state === "requested") await first.runner.stop();
      const { id } = await first.changes.request(wish, ann);
      healthyTraffic();
      await until(first.changes, id, state);
      await first.runner.stop();
      fake.world.stuckIn.clear();
      const second = createServer();
      await run(second);
      healthyTraffic(120);
      await until(second.changes, id, "succeeded");
    },
  );

  it.each(["restoring-weights", "draining-candidate"])(
    "in %s leaves an undo that the next one finishes",
    async (state) => {
      const first = createServer();
      await run(first);
      const { id } = await first.changes.request(wish, ann);
      await until(first.changes, id, "stepping");
      fake.world.stuckIn.add(state);
      await first.changes.command(id, { name: "abort", reason: null }, ann);
      await until(first.changes, id, state);
      await first.runner.stop();
      fake.world.stuckIn.clear();
      const second = createServer();
      await run(second);
      await until(second.changes, id, "undone");
    },
  );
});

describe("an operator", () => {
  it("pauses, and nothing advances until it is resumed", async () => {
    const server = createServer();
    await run(server);
    const { id } = await server.changes.request(wish, ann);
    await until(server.changes, id, "stepping");
    await server.changes.command(id, { name: "pause", reason: "lunch" }, ann);
    healthyTraffic();
    await clock.advance(20_000);
    expect(await server.changes.change(id)).toMatchObject({ state: "paused", weight: 1000 });
    await server.changes.command(id, { name: "resume", reason: null }, ann);
    await until(server.changes, id, "baking");
  });

  it("rolls back a change whose old release is warm", async () => {
    const server = createServer();
    await run(server);
    const { id } = await server.changes.request(wish, ann);
    healthyTraffic();
    await until(server.changes, id, "baking");
    expect((await server.changes.rollback(id, null, ann)).id).toBe(id);
    await until(server.changes, id, "undone");
  });

  it("rolls back a change that has ended by bringing the release before it back at once", async () => {
    const server = createServer();
    await run(server);
    const { id } = await server.changes.request(wish, ann);
    healthyTraffic();
    await until(server.changes, id, "succeeded");
    const back = await server.changes.rollback(id, null, ann);
    expect(back).toMatchObject({ candidate: "rel_old", immediate: true });
  });

  it("aborts a change that has not begun", async () => {
    const server = createServer();
    const { id } = await server.changes.request(wish, ann);
    expect(await server.changes.command(id, { name: "abort", reason: null }, ann)).toMatchObject({
      state: "undone",
    });
    await server.changes.request(wish, ann);
  });

  it("is told when a command means nothing", async () => {
    const server = createServer();
    const { id } = await server.changes.request(wish, ann);
    const refusal = server.changes.command(id, { name: "promote", reason: null }, ann);
    await expect(refusal).rejects.toMatchObject({ code: "CHANGE_REFUSED" });
  });
});

describe("the pre-flight", () => {
  it("does not start when the preflight finds something, and says all of it with its remedies", async () => {
    const server = createServer();
    await run(server);
    fake.world.findings = [
      { ...FOUND, code: "A", message: "the disk is full", remedy: "make room" },
      { ...FOUND, code: "B", message: "a secret is missing", remedy: "add it" },
      { ...FOUND, code: "C", severity: "warning", message: "env differs", remedy: "look" },
    ];
    const { id } = await server.changes.request(wish, ann);
    await until(server.changes, id, "undone");
    const { outcome } = await server.changes.change(id);
    expect(outcome).toBe("the disk is full (make room); a secret is missing (add it)");
    expect(fake.world.acts).not.toContain("apply start");
    expect((await server.changes.change(id)).findings.map((each) => each.code)).toEqual(["A", "B", "C"]);
  });

  it("goes on in spite of an error that may be forced and was, and says so in timeline and audit", async () => {
    const server = createServer();
    await run(server);
    fake.world.findings = [
      { ...FOUND, code: "MEMORY", isForceable: true, message: "little memory", remedy: "wait" },
      { ...FOUND, code: "ENV", severity: "warning", message: "env differs", remedy: "compare" },
    ];
    const refused = await server.changes.request(wish, ann);
    await until(server.changes, refused.id, "undone");
    const { id } = await server.changes.request({ ...wish, force: ["MEMORY"] }, ann);
    await until(server.changes, id, "stepping");
    const reasons = (await server.changes.timeline(id)).map((entry) => entry.reason);
    expect(reasons).toContain("forced MEMORY: little memory; warning ENV: env differs");
    const { entries } = await server.audit.list({ limit: 100, filter: { change: id } });
    expect(entries.at(-1)).toMatchObject({ actor: { name: "ann" }, after: { force: ["MEMORY"] } });
  });

  it("is never forced past an error that may not be", async () => {
    const server = createServer();
    await run(server);
    fake.world.findings = [{ ...FOUND, code: "DIGEST", message: "altered", remedy: "deploy again" }];
    const { id } = await server.changes.request({ ...wish, force: ["DIGEST"] }, ann);
    await until(server.changes, id, "undone");
    expect((await server.changes.change(id)).outcome).toBe("altered (deploy again)");
  });

  it("takes a check that breaks for a finding, and still asks the others", async () => {
    fake.world.checks = [
      { name: "broken", find: () => Promise.reject(new Error("no such file")) },
      { name: "well", find: async () => [{ ...FOUND, code: "A", message: "a", remedy: "b" }] },
    ];
    const { findings } = await createServer().changes.preview(wish, ann);
    expect(findings.map((each) => each.code)).toEqual(["PREFLIGHT_BROKEN", "A"]);
    expect(findings[0]?.message).toBe("the check broken came to no result: no such file");
  });
});
