import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { platformFile, type InstanceSpec, type ObservedInstance, type ObservedState } from "@mainstay/api";
import { initialState, type RolloutState } from "@mainstay/rollout";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openTestDatabase } from "../../../../tests/support/database.ts";
import { silentLog } from "../../../../tests/support/log.ts";
import { createTestSealer } from "../../../../tests/support/vault.ts";
import { NO_IMAGES } from "../../../../tests/support/no-images.ts";
import { waitUntil } from "../../../../tests/support/wait-until.ts";
import { auditStream, createAudit } from "../../core/audit/index.ts";
import type { ChangeView, Occasion } from "../../core/changes/index.ts";
import {
  createReleaseKind,
  createServices,
  createSignatures,
  type Services,
} from "../../core/services/index.ts";
import { createUploads } from "../../core/uploads/index.ts";
import { createVirtualClock, type VirtualClock } from "../../kernel/clock.ts";
import { createEvents } from "../../kernel/events/index.ts";
import { createIds } from "../../kernel/ids.ts";
import { createMetrics } from "../../kernel/metrics.ts";
import type { AgentLink } from "./agent-link.ts";
import { compile } from "./compile.ts";
import { createHooks } from "./hooks.ts";
import { createRehearsalDriver } from "./rehearsal-driver.ts";
import { createTaskKeeper } from "./task-keeper.ts";

const ANN = { actor: { type: "user", id: "usr_ann", name: "ann" }, requestId: null, address: null };
const SHOP = { service: "shop", environment: "production" };
const WEB = { command: "node web.js", port: "auto", health: { path: "/healthz", deadline: "20s" } };
const EXPAND = { command: "npm run migrate", compatibility: "expand" };
const SETTINGS = {
  ...{ dataDirectory: "/data", leaseTtlMs: 1, requestTimeoutMs: 1, drainTimeoutMs: 1, api: null },
};

let database: Awaited<ReturnType<typeof openTestDatabase>>;
let directory: string;
let services: Services;
let clock: VirtualClock;
let keeper: ReturnType<typeof createTaskKeeper>;
/** What the agent shows of each instance beyond its being there. */
let shown: Map<string, Partial<ObservedInstance>>;
let told: InstanceSpec[];

/** An agent that shows at once what it was told, as the test says. */
const listeners = new Set<() => void>();
const ring = () => listeners.forEach((each) => each());
const link = {
  async sync() {
    told = compile({ ...(await services.arrangement()), builds: [] }, SETTINGS).instances;
    ring();
    return observed();
  },
  observed,
  isCurrent: () => true,
  onNews(listener: () => void) {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },
} as unknown as AgentLink;

function observed(): ObservedState {
  const instances = told.map(({ id, process, release }) => ({
    ...{
      id,
      process,
      release,
      state: "starting",
      crashes: 0,
      passes: 0,
      lastExit: null,
      lastProbeError: null,
    },
    ...shown.get(id),
  }));
  return { instances } as unknown as ObservedState;
}

const agent = {
  async *logs() {
    yield "a line of its output";
  },
};

beforeEach(async () => {
  database = await openTestDatabase();
  directory = await mkdtemp(path.join(tmpdir(), "around-"));
  clock = createVirtualClock(Date.parse("2026-11-01T12:00:00Z"));
  const ids = createIds({ clock, random: randomBytes });
  const { db } = database;
  const metrics = createMetrics({ clock, log: silentLog });
  const streams = [auditStream];
  const events = createEvents({ database, clock, ids, log: silentLog, metrics, source: "test", streams });
  const audit = createAudit({ db, clock, ids });
  const limits = platformFile.parse({}).uploads;
  const uploads = createUploads({ db, clock, ids, dataDirectory: directory, limits });
  const signatures = createSignatures({ keys: [], required: false });
  services = createServices({
    ...{
      db,
      clock,
      ids,
      audit,
      events,
      dataDirectory: directory,
      uploads,
      images: NO_IMAGES,
      limits,
      signatures,
      sealer: createTestSealer(),
    },
  });
  [shown, told] = [new Map(), []];
  keeper = createTaskKeeper({ services, link, agent, clock, log: silentLog });
  await keeper.start();
});
afterEach(async () => {
  await keeper.stop();
  await database.close();
  await rm(directory, { recursive: true });
});

async function register(more: Record<string, unknown> = {}, web: Record<string, unknown> = {}) {
  const source = await mkdtemp(path.join(directory, "source-"));
  // JSON is YAML too.
  const file = JSON.stringify({ service: "shop", processes: { web: { ...WEB, ...web } }, ...more });
  await writeFile(path.join(source, "mainstay.yaml"), file);
  return services.registerRelease({ directory: source, file: "mainstay.yaml" }, ANN);
}

async function prepare(candidate: string): Promise<ChangeView> {
  const prepared = await createReleaseKind(services).prepare({ candidate, immediate: false });
  return { ...prepared, id: "chg_1", kind: "release", weight: 0, proven: 0, position: initialState(0) };
}

const isIn = (change: ChangeView, name: RolloutState["name"]): ChangeView => ({
  ...change,
  position: { ...change.position, name },
});

async function tasks() {
  return services.tasks.ofChange("chg_1");
}

/** The agent shows more of one instance, and says so. */
function show(id: string | undefined, more: Partial<ObservedInstance>): void {
  shown.set(id ?? "", more);
  ring();
}

async function untilEnded(index = 0) {
  return waitUntil("a task to end", async () => {
    const row = (await tasks())[index];
    return row?.finished_at ? row : null;
  });
}

describe("the rehearsal of the stable release", () => {
  const driver = () => createRehearsalDriver({ services, link, agent });

  async function begin(web: Record<string, unknown> = {}, more: Record<string, unknown> = {}) {
    const stable = await register({}, web);
    await services.settle(SHOP, stable.id);
    const candidate = await register({ release: EXPAND, ...more });
    const change = isIn(await prepare(candidate.id), "rehearsing");
    for (const step of driver().plan(change)) await driver().apply(change, step);
    return { change, stable, candidate };
  }

  it("is the process that serves, under a name to which nothing is routed, and begins once", async () => {
    const { change, stable, candidate } = await begin();
    const [step] = driver().plan(change);
    expect(step?.title).toBe(`start web of ${stable.id} once more, out of traffic, on the new schema`);
    if (step) await driver().apply(change, step);
    expect(told).toEqual([
      expect.objectContaining({
        ...{ process: "rehearsal", release: stable.id, command: "node web.js", port: "auto" },
        health: { path: "/healthz", intervalMs: 1000, timeoutMs: 2000 },
      }),
    ]);
    expect(told[0]?.once).toBeUndefined();
    const { services: routed } = compile({ ...(await services.arrangement()), builds: [] }, SETTINGS);
    expect(routed[0]?.stable?.instances).toEqual([]);
    expect(await tasks()).toMatchObject([{ kind: "rehearsal", name: candidate.id, timeout_ms: 20_000 }]);
    expect((await driver().observe(change)).waitingFor).toContain("to start on the new schema");
  });

  it("has ended well when it passed its gate and is gone", async () => {
    const { change, stable } = await begin();
    show(told[0]?.id, { state: "ready", passes: 2 });
    expect((await driver().observe(change)).waitingFor).not.toBeNull();
    show(told[0]?.id, { state: "ready", passes: 3 });
    expect(await untilEnded()).toMatchObject({ state: "succeeded", output: "a line of its output" });
    await waitUntil("it to be taken off the agent's hands", async () => told.length === 0);
    expect(await driver().observe(change)).toEqual({
      ...{ waitingFor: null, failure: null },
      note: `${stable.id} started on the new schema, out of traffic, and was healthy`,
    });
  });

  it.each([
    { title: "crashes", how: { crashes: 3, lastExit: { code: 4 } }, why: "it crashed 3 times (exit code 4)" },
    {
      title: "is not healthy within its own deadline",
      how: { lastProbeError: "status 500" },
      why: "it was not healthy within 20s: status 500",
    },
  ])("that $title fails the change with the way out", async ({ how, why }) => {
    const { change, stable } = await begin();
    show(told[0]?.id, how as Partial<ObservedInstance>);
    await clock.advance(20_500);
    ring();
    expect(await untilEnded()).toMatchObject({ state: "failed", reason: why });
    const { failure } = await driver().observe(change);
    expect(failure).toContain(
      `not "expand" as declared: ${stable.id} does not start on the schema it left (${why})`,
    );
    expect(failure).toContain("roll forward");
  });

  it("is ended with its change, which waits until it is gone", async () => {
    const { change } = await begin();
    const undone = isIn(change, "draining-candidate");
    expect((await driver().observe(undone)).waitingFor).toBe("the rehearsed instance to be stopped");
    for (const step of driver().plan(change)) await driver().undo(undone, step);
    expect(await tasks()).toMatchObject([{ state: "stopped" }]);
    expect((await driver().observe(undone)).waitingFor).toBeNull();
    expect((await driver().observe(change)).failure).toContain("was not found out: the change was undone");
  });

  it.each([
    ["its process has a fixed port", { port: 4000 }, {}, "web has the fixed port 4000"],
    [
      "there is room for no more instances",
      {},
      { rollout: { strategy: "rolling", rolling: { maxSurge: 0, maxUnavailable: 1 } } },
      "rolling.maxSurge is 0",
    ],
  ])("is left out where %s, and the timeline says so", async (_, web, more, why) => {
    const { change, stable } = await begin(web, more);
    expect(await tasks()).toEqual([]);
    expect(driver().plan(change)[0]?.title).toContain(
      `whether ${stable.id} still starts is not tried: ${why}`,
    );
    expect(await driver().observe(change)).toMatchObject({
      ...{ waitingFor: null, failure: null },
      note: expect.stringContaining(`whether ${stable.id} still starts was not tried: ${why}`),
    });
  });

  it("is asked for by commands that expand until it went well, by nothing that goes back", async () => {
    const { change, candidate, stable } = await begin();
    expect(await services.tasks.isRehearsalDue(candidate, stable)).toBe(true);
    await services.tasks.startReleaseCommand("chg_0", candidate);
    const [command] = await services.tasks.ofChange("chg_0");
    const ended = { state: "succeeded", exitCode: 0, reason: null, output: "" } as const;
    if (command) await services.tasks.finish(command, ended);
    // The command does not run again, but what it did still stands.
    expect(await services.tasks.isReleaseCommandDue(candidate)).toBe(false);
    expect(await services.tasks.isRehearsalDue(candidate, stable)).toBe(true);
    show((await tasks())[0]?.id, { state: "ready", passes: 3 });
    await untilEnded();
    expect(await services.tasks.isRehearsalDue(candidate, stable)).toBe(false);
    const later = await register();
    expect(await services.tasks.isRehearsalDue(candidate, later)).toBe(false);
    expect(await services.tasks.isRehearsalDue(later, stable)).toBe(false);
    expect(change.plan.rehearsal).toEqual({ process: "web", deadlineMs: 20_000 });
  });
});

describe("the hooks of a candidate", () => {
  const BEFORE: Occasion = { when: "before", state: "starting", stage: -1 };
  const hooks = () => createHooks({ services, link, agent });

  async function begin(list: Record<string, unknown>[]) {
    const stable = await register();
    await services.settle(SHOP, stable.id);
    const candidate = await register({ hooks: list });
    return { change: await prepare(candidate.id), candidate, stable };
  }

  const exited = (code: number): Partial<ObservedInstance> => ({
    state: "exited",
    lastExit: { code, signal: null, at: "" },
  });

  it("stand in the plan as far as the change comes past their moment", async () => {
    const { change } = await begin([
      { before: "starting", command: "node warm.js --token=hunter22" },
      { before: "migrating", command: "pg_dump" },
      { after: "restoring-weights", command: "node tell.js" },
    ]);
    expect(
      hooks()
        .plan(change)
        .map(({ state, act, title }) => [state, act, title]),
    ).toEqual([
      ["starting", "before", expect.stringContaining("before starting: node warm.js")],
      ["restoring-weights", "after", "after restoring-weights: node tell.js"],
    ]);
    expect(hooks().plan(change)[0]?.title).not.toContain("hunter22");
  });

  it("run one after the other with the candidate's code and what they need to know, once", async () => {
    const { change, candidate, stable } = await begin([
      { before: "starting", command: "first", timeout: "7s" },
      { before: "gating", command: "another time" },
      { before: "starting", command: "second" },
    ]);
    const run = () => hooks().run(change, [{ ...BEFORE, when: "after", state: "preflight" }, BEFORE]);
    expect((await run()).waitingFor).toBe("the hook before starting (hook 1) to end");
    await run();
    expect(told).toMatchObject([
      { process: "hook", command: "first", once: { timeoutMs: 7000 }, port: null },
    ]);
    expect(told[0]?.release).toBe(candidate.id);
    expect(told[0]?.env).toMatchObject({
      ...{ MAINSTAY_CHANGE: "chg_1", MAINSTAY_STABLE_RELEASE: stable.id, MAINSTAY_STATE: "starting" },
    });
    show(told[0]?.id, exited(0));
    await untilEnded();
    expect((await run()).waitingFor).toBe("the hook before starting (hook 3) to end");
    show((await tasks())[1]?.id, exited(0));
    await untilEnded(1);
    expect(await run()).toEqual({
      ...{ waitingFor: null, failure: null },
      note: "before starting (hook 1) succeeded; before starting (hook 3) succeeded",
    });
    expect(await tasks()).toHaveLength(2);
  });

  it("run anew at every stage of a state that is passed several times", async () => {
    const { change } = await begin([{ before: "stepping", command: "x" }]);
    for (const stage of [0, 1]) await hooks().run(change, [{ when: "before", state: "stepping", stage }]);
    expect((await tasks()).map((each) => each.name)).toEqual([
      "before stepping, stage 1 (hook 1)",
      "before stepping, stage 2 (hook 1)",
    ]);
  });

  it("fail the change, unless they say that a failure is to be ignored: then it is told", async () => {
    const { change } = await begin([
      { before: "starting", command: "x", onFailure: "ignore" },
      { before: "starting", command: "y" },
    ]);
    for (const index of [0, 1]) {
      await hooks().run(change, [BEFORE]);
      show((await tasks())[index]?.id, exited(3));
      await untilEnded(index);
    }
    expect((await hooks().run(change, [BEFORE])).failure).toBe(
      "the hook before starting (hook 2) failed: exit code 3",
    );
    const { change: other } = await begin([{ after: "restoring-weights", command: "x" }]);
    const back: Occasion = { when: "after", state: "restoring-weights", stage: 0 };
    const undone = { ...other, id: "chg_1" };
    await hooks().run(undone, [back]);
    show((await tasks())[2]?.id, exited(1));
    await untilEnded(2);
    expect(await hooks().run(undone, [back])).toMatchObject({
      failure: null,
      note: "after restoring-weights (hook 1) failed: exit code 1 (ignored)",
    });
  });

  it("get another attempt when nobody saw them end, as release commands do", async () => {
    const { change } = await begin([{ before: "starting", command: "x" }]);
    await hooks().run(change, [BEFORE]);
    show((await tasks())[0]?.id, {
      state: "exited",
      lastExit: { code: null, signal: null, at: "", cause: "lost" },
    });
    await untilEnded();
    expect((await hooks().run(change, [BEFORE])).waitingFor).not.toBeNull();
    expect((await tasks()).map(({ attempt, state }) => [attempt, state])).toEqual([
      [1, "lost"],
      [2, "running"],
    ]);
  });

  it("are refused when the candidate's files were altered", async () => {
    const { change, candidate } = await begin([{ before: "starting", command: "x" }]);
    await writeFile(path.join(candidate.directory, "added.js"), "alert(1)");
    await hooks().run(change, [BEFORE]);
    expect(told).toEqual([]);
    const { failure } = await hooks().run(change, [BEFORE]);
    expect(failure).toMatch(/^the hook before starting \(hook 1\) failed: /);
  });

  it("on the way forward are ended by an undo, those of the undo are not", async () => {
    const { change } = await begin([
      { before: "starting", command: "forward" },
      { before: "restoring-weights", command: "back" },
    ]);
    await hooks().run(change, [BEFORE]);
    await hooks().run(change, [{ when: "before", state: "restoring-weights", stage: -1 }]);
    expect(await hooks().remain(change)).toBe(true);
    await hooks().stop(change);
    expect((await tasks()).map(({ command, state }) => [command, state])).toEqual([
      ["forward", "stopped"],
      ["back", "running"],
    ]);
    expect(told.map((each) => each.command)).toEqual(["back"]);
    expect(await hooks().remain(change)).toBe(false);
  });
});
