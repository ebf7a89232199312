import { randomBytes } from "node:crypto";
import type { ApprovalRule, FreezeWindow } from "@mainstay/api";
import { afterEach, beforeEach } from "vitest";
import { auditStream, createAudit } from "../../server/src/core/audit/index.ts";
import { createFakeDriver, createFakeSignal } from "../../server/src/core/changes/fake-driver.ts";
import type { ChangeKind, GateKeeper, Hooks, Preparation } from "../../server/src/core/changes/ports.ts";
import { createChangesRoom } from "../../server/src/core/changes/room.ts";
import type { Origin } from "../../server/src/kernel/http/index.ts";
import { createVirtualClock } from "../../server/src/kernel/clock.ts";
import { createEvents } from "../../server/src/kernel/events/index.ts";
import { createIds } from "../../server/src/kernel/ids.ts";
import { createMetrics } from "../../server/src/kernel/metrics.ts";
import { openTestDatabase } from "./database.ts";
import { silentLog } from "./log.ts";

export const ann: Origin = {
  actor: { type: "user", id: "usr_ann", name: "ann" },
  requestId: "req_1",
  address: "127.0.0.1",
};
const START_MS = Date.parse("2026-11-01T12:00:00Z");

/** What a test asks for when it does not matter. */
export const wish = { kind: "release", candidate: "rel_new", immediate: false, reason: null };

/** A finding that stops a change and cannot be forced. */
export const FOUND = { severity: "error", isForceable: false, isForced: false } as const;

export interface ServerOptions {
  owner?: string;
  /** The stable release; null: there is none yet. */
  stable?: string | null;
  /** Over what every change is prepared with. */
  prepared?: Partial<Preparation>;
  /** What runs around the states of every change. */
  hooks?: Hooks;
  /** Who answers gates. */
  gates?: GateKeeper;
  /** The platform's freeze windows. */
  freeze?: FreezeWindow[];
  /** The platform's rules for approvals. */
  approvals?: ApprovalRule[];
  /** The roles of people by their names. */
  roles?: Record<string, string[]>;
}

async function openHouse() {
  const database = await openTestDatabase();
  const clock = createVirtualClock(START_MS);
  const fake = createFakeDriver();
  const signal = createFakeSignal();
  const running: { stop(): Promise<void> | void }[] = [];

  const kind = ({ stable = "rel_old", prepared = {}, hooks, gates }: ServerOptions): ChangeKind => ({
    ...(hooks ? { hooks } : {}),
    ...(gates ? { gates } : {}),
    kind: "release",
    drivers: [fake.driver],
    checks: fake.world.checks,
    signal: signal.signal,
    prepare: async ({ candidate }) => {
      if (fake.world.refusal) throw fake.world.refusal;
      return { ...prepare(candidate, stable), ...prepared };
    },
  });

  /** A server of its own on the shared database, as after a restart. */
  function createServer(options: ServerOptions = {}) {
    const ids = createIds({ clock, random: randomBytes });
    const { db } = database;
    const metrics = createMetrics({ clock, log: silentLog });
    const events = createEvents({
      ...{ database, clock, ids, log: silentLog, metrics, source: "test" },
      streams: [auditStream],
    });
    const audit = createAudit({ db, clock, ids });
    const room = createChangesRoom({
      ...{ db, clock, ids, audit, events, log: silentLog },
      kinds: [kind(options)],
      freeze: options.freeze ?? [],
      approvals: options.approvals ?? [],
      production: ["production"],
      holdsRole: async ({ name }, role) => options.roles?.[name]?.includes(role) ?? false,
      owner: options.owner ?? "server-1",
      listen: database.listen,
    });
    return { ...room, audit };
  }

  async function run(server: ReturnType<typeof createServer>): Promise<void> {
    running.push(server.runner);
    await server.runner.start();
  }

  async function close(): Promise<void> {
    for (const each of running) await each.stop();
    await database.close();
  }

  return { clock, fake, signal, createServer, run, close };
}
export type ChangesHouse = Awaited<ReturnType<typeof openHouse>>;

/**
 * The room of changes with a database, a virtual clock, a fake driver and a fake signal, anew for each test.
 */
export function useChangesHouse() {
  let house: ChangesHouse | null = null;
  beforeEach(async () => {
    house = await openHouse();
  });
  afterEach(async () => {
    await house?.close();
    house = null;
  });

  function here(): ChangesHouse {
    if (!house) throw new Error("the house stands while a test runs");
    return house;
  }

  /** Lets virtual time pass, in small steps, until the change is in this state. */
  async function until(
    { changes }: Pick<ReturnType<ChangesHouse["createServer"]>, "changes">,
    id: string,
    state: string,
  ): Promise<void> {
    for (let step = 0; step < 1500; step++) {
      if ((await changes.change(id)).state === state) return;
      await here().clock.advance(250);
    }
    const { state: last, outcome } = await changes.change(id);
    throw new Error(`the change is ${last} (${outcome ?? "no outcome"}), not ${state}`);
  }

  /**
   * Traffic in which no arm does worse than the other: minutes of it, because on a busy machine virtual time
   * passes faster than the room can follow.
   */
  function healthyTraffic(seconds = 600): void {
    const fromMs = here().clock.now().getTime();
    for (let second = 1; second <= seconds; second++) {
      here().signal.add(fromMs + second * 1000, { stable: [50, 0], candidate: [5, 0] });
    }
  }

  return { here, until, healthyTraffic };
}

function prepare(candidate: string, stable: string | null): Preparation {
  return {
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
  };
}
