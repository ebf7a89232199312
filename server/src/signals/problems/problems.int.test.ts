import { platformFile, type ObservedInstance, type ObservedState } from "@mainstay/api";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openTestDatabase } from "../../../../tests/support/database.ts";
import { createTestEvents, type TestEvents } from "../../../../tests/support/events.ts";
import { silentLog } from "../../../../tests/support/log.ts";
import { waitUntil } from "../../../../tests/support/wait-until.ts";
import { createVirtualClock, type VirtualClock } from "../../kernel/clock.ts";
import { createProblems, type Places, type Problems } from "./problems.ts";

const START = Date.parse("2026-11-01T12:00:00Z");
const LIMITS = platformFile.parse({}).problems;
const CHANGE = {
  ...{ service: "shop", environment: "production", kind: "release", target: "shop/production" },
  ...{ candidate: "rel_2", stable: "rel_1", from: "gating", stage: 0, by: "platform", reason: "it crashed" },
};

let database: Awaited<ReturnType<typeof openTestDatabase>>;
let clock: VirtualClock;
let events: TestEvents;
let problems: Problems;
/** What there is to be seen. */
let world: { freeBytes: number; instances: Partial<ObservedInstance>[] | null };

beforeEach(async () => {
  database = await openTestDatabase();
  clock = createVirtualClock(START);
  world = { freeBytes: 1024 ** 4, instances: [] };
  problems = await start();
});
afterEach(async () => {
  await events.stop();
  await database.close();
});

const places: Places = {
  changes: { list: async () => [] },
  agent: { observed: () => observed(), hosts: () => [] },
  certificates: { list: async () => [] },
  channels: { list: async () => [] },
  freeBytes: async () => world.freeBytes,
  audit: { problems: async () => [] },
  rules: { problems: () => [] },
  budgets: { problems: () => [] },
  remoteWrites: { problems: () => [] },
  metrics: { problems: () => [] },
  scrapes: { problems: () => [] },
};

function observed(): ObservedState | null {
  if (world.instances === null) return null;
  const base = {
    service: "shop",
    environment: "production",
    process: "web",
    release: "rel_1",
    state: "ready",
  };
  return { instances: world.instances.map((each) => ({ ...base, ...each })) } as ObservedState;
}

async function start(): Promise<Problems> {
  events = createTestEvents(database, { clock });
  const started = createProblems({
    ...{ db: database.db, clock, log: silentLog, events, limits: LIMITS, places },
  });
  await events.start();
  return started;
}

async function lookAfter(ms: number): Promise<void> {
  await clock.advance(ms);
  await problems.look();
}

async function told(): Promise<string[]> {
  const text =
    "select type, subject, data ->> 'kind' as kind from events.outbox where type like 'problems.%' order by id";
  const { rows } = await database.pool.query<{ type: string; subject: string; kind: string }>(text);
  return rows.map(({ type, subject, kind }) => `${type} ${kind} ${subject}`);
}

const DISK = "disk-low data-directory";

describe("problems", () => {
  it("are told in the transaction that remembers them, once, and their end once", async () => {
    world.freeBytes = 0;
    await lookAfter(0);
    expect(await problems.list()).toEqual([]);
    await lookAfter(60_000);
    await lookAfter(60_000);
    expect(await problems.list()).toMatchObject([
      {
        kind: "disk-low",
        summary: "Less than 1GiB is free where the data lies",
        since: "2026-11-01T12:00:00.000Z",
      },
    ]);
    world.freeBytes = 1024 ** 4;
    await lookAfter(5_000);
    expect(await told()).toEqual([`problems.opened ${DISK}`]);
    await lookAfter(60_000);
    expect(await told()).toEqual([`problems.opened ${DISK}`, `problems.ended ${DISK}`]);
    expect(await problems.list()).toEqual([]);
  });

  it("are remembered by the next server, which tells of their end", async () => {
    world.freeBytes = 0;
    await lookAfter(0);
    await lookAfter(60_000);
    await events.stop();
    problems = await start();
    await lookAfter(60_000);
    world.freeBytes = 1024 ** 4;
    await lookAfter(0);
    await lookAfter(60_000);
    expect(await told()).toEqual([`problems.opened ${DISK}`, `problems.ended ${DISK}`]);
  });

  it("are told once by servers that look at the same time", async () => {
    world.freeBytes = 0;
    await lookAfter(0);
    await clock.advance(60_000);
    await Promise.all([problems.look(), problems.look(), problems.look()]);
    expect(await told()).toEqual([`problems.opened ${DISK}`]);
  });

  it("of instances stay as they are while the agent is away, which is told after a while", async () => {
    world.instances = [{ state: "backing-off" }];
    await lookAfter(0);
    await lookAfter(30_000);
    world.instances = null;
    await lookAfter(5_000);
    await lookAfter(30_000);
    expect(await told()).toEqual([
      "problems.opened instance-down shop/production/web",
      "problems.opened agent-lost agent",
    ]);
  });

  it("are crashes that come three times in ten minutes, until there were fewer", async () => {
    world.instances = [{}];
    const crash = { ...CHANGE, process: "web", release: "rel_1", pid: null, code: 1, signal: null };
    const count = async () => (await database.pool.query("select 1 from problems.crashes")).rowCount;
    for (const crashes of [1, 2, 3]) {
      await events.tell({ type: "instances.failed", subject: "ins_1", data: { ...crash, crashes } });
      await waitUntil("the crash to be remembered", async () => (await count()) === crashes);
    }
    await lookAfter(5_000);
    expect(await told()).toEqual(["problems.opened crash-loop shop/production/web"]);
    await lookAfter(10 * 60_000);
    expect((await told()).at(-1)).toBe("problems.ended crash-loop shop/production/web");
  });

  it("are changes that cannot be undone, until another one of the service succeeds", async () => {
    const blocked = { ...CHANGE, state: "undo-blocked", outcome: "the schema has moved on" };
    await events.tell({ type: "changes.blocked", subject: "chg_1", data: blocked });
    const [problem] = await waitUntil("the problem", async () => {
      const all = await problems.list();
      return all.length > 0 && all;
    });
    expect(problem).toMatchObject({ kind: "change-blocked", subject: "shop/production" });
    expect(problem?.summary).toContain("chg_1 failed and cannot be undone: the schema has moved on");
    await lookAfter(3_600_000);
    expect(await problems.list()).toHaveLength(1);
    const succeeded = { ...CHANGE, state: "succeeded", outcome: null };
    await events.tell({ type: "changes.succeeded", subject: "chg_2", data: succeeded });
    await waitUntil("its end", async () => (await problems.list()).length === 0);
    expect((await told()).at(-1)).toBe("problems.ended change-blocked shop/production");
  });
});
