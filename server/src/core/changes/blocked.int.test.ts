import { randomBytes } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openTestDatabase } from "../../../../tests/support/database.ts";
import { silentLog } from "../../../../tests/support/log.ts";
import { createVirtualClock } from "../../kernel/clock.ts";
import { createEvents } from "../../kernel/events/index.ts";
import { createIds } from "../../kernel/ids.ts";
import { createMetrics } from "../../kernel/metrics.ts";
import { auditStream, createAudit } from "../audit/index.ts";
import { createFakeDriver } from "./fake-driver.ts";
import type { ChangeKind } from "./ports.ts";
import { createChangesRoom } from "./room.ts";

const ANN = { actor: { type: "user", id: "usr_ann", name: "ann" }, requestId: null, address: null };
const WISH = { kind: "release", candidate: "rel_new", immediate: true, reason: null };
const REASON = "the stable release cannot read the new schema";

describe("a change that has left its stable arm behind", () => {
  let database: Awaited<ReturnType<typeof openTestDatabase>>;
  let room: ReturnType<typeof createRoom>;
  const clock = createVirtualClock(Date.parse("2026-11-01T12:00:00Z"));
  const fake = createFakeDriver();

  const kind: ChangeKind = {
    kind: "release",
    drivers: [fake.driver],
    signal: null,
    undoBlocked: async () => REASON,
    prepare: async ({ candidate }) => ({
      ...{ target: "production/shop", service: "shop", environment: "production" },
      ...{ candidate, stable: "rel_old", judge: null, limits: {} },
      plan: {
        stages: [{ weight: 10_000, bakeMs: 0 }],
        keepWarmMs: 60_000,
        gateDeadlineMs: 30_000,
        onTooLittleEvidence: "hold",
        hasStable: true,
        skips: ["backup", "migrating"],
      },
    }),
  };

  function createRoom() {
    const { db } = database;
    const ids = createIds({ clock, random: randomBytes });
    const audit = createAudit({ db, clock, ids });
    const metrics = createMetrics({ clock, log: silentLog });
    const streams = [auditStream];
    const events = createEvents({ database, clock, ids, log: silentLog, metrics, source: "test", streams });
    const parts = { db, clock, ids, audit, events, log: silentLog, kinds: [kind] };
    return createChangesRoom({
      ...parts,
      owner: "server-1",
      listen: database.listen,
      freeze: [],
      approvals: [],
      production: ["production"],
      holdsRole: async () => false,
    });
  }

  async function until(id: string, state: string): Promise<void> {
    for (let step = 0; step < 1000; step++) {
      if ((await room.changes.change(id)).state === state) return;
      await clock.advance(250);
    }
    throw new Error(`the change is ${(await room.changes.change(id)).state}, not ${state}`);
  }

  beforeEach(async () => {
    database = await openTestDatabase();
    room = createRoom();
    Object.assign(fake.world, { acts: [], failure: null });
    await room.runner.start();
  });
  afterEach(async () => {
    await room.runner.stop();
    await database.close();
  });

  it("keeps the traffic where it is when it fails with it, and ends blocked", async () => {
    const { id } = await room.changes.request(WISH, ANN);
    await until(id, "baking");
    fake.world.failure = "web crashed 3 times";
    await until(id, "undo-blocked");
    expect(await room.changes.change(id)).toMatchObject({
      weight: 10_000,
      outcome: `web crashed 3 times; ${REASON}`,
    });
    expect(fake.world.acts.filter((act) => act.startsWith("undo"))).toEqual([]);
    expect(fake.world.acts).toContain("apply settle");
    expect(await room.changes.locks()).toEqual([]);
  });

  it("takes the candidate away when it fails before, and ends blocked as well", async () => {
    fake.world.stuckIn.add("gating");
    const { id } = await room.changes.request(WISH, ANN);
    await until(id, "gating");
    fake.world.failure = "web crashed 3 times";
    await until(id, "undo-blocked");
    fake.world.stuckIn.clear();
    expect(await room.changes.change(id)).toMatchObject({ weight: 0 });
    expect(fake.world.acts).toEqual(["apply start", "undo weigh", "undo start"]);
  });

  it("cannot be undone by an operator, who is told the way out", async () => {
    const { id } = await room.changes.request(WISH, ANN);
    await until(id, "baking");
    const refusal = await room.changes.rollback(id, null, ANN).catch((error: unknown) => error);
    expect(refusal).toMatchObject({
      code: "CHANGE_UNDO_BLOCKED",
      message: expect.stringContaining(REASON),
      remedy: expect.stringContaining("Roll forward"),
    });
    expect((await room.changes.change(id)).state).toBe("baking");
  });
});
