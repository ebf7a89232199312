import type { EventData, EventType } from "@mainstay/api";
import type { Decision, GateResult, RolloutState } from "@mainstay/rollout";
import type { Audit } from "../audit/index.ts";
import type { Clock } from "../../kernel/clock.ts";
import type { Database, Tx } from "../../kernel/database/index.ts";
import type { TypedEvents } from "../../kernel/events/index.ts";
import type { Origin } from "../../kernel/http/index.ts";
import { missingOf } from "./domain/approval.ts";
import { positionColumns } from "./domain/view.ts";
import type { ChangesStore, ChangeRow } from "./store.ts";

export const PLATFORM: Origin = {
  actor: { type: "system", id: "mainstay", name: "Mainstay" },
  requestId: null,
  address: null,
};

const FINAL: readonly RolloutState["name"][] = ["succeeded", "undone", "undo-blocked"];

export interface TransitionsDependencies {
  db: Database;
  clock: Clock;
  audit: Audit;
  events: TypedEvents;
  store: ChangesStore;
}

type MoveEvent = Extract<EventType, `changes.${string}`>;
/** What an act is called that is more than its change of state. */
interface Act {
  action: string;
  event: MoveEvent;
}
type Go = Extract<Decision, { kind: "go" }>;

/** Every transition is one transaction: the row, its timeline entry, its audit row and its event. */
export function createTransitions({ db, clock, audit, events, store }: TransitionsDependencies) {
  async function record(
    tx: Tx,
    row: ChangeRow,
    entry: { at: Date; go: Go; from: string; origin: Origin; as?: Act | undefined },
  ): Promise<void> {
    const { at, go, from, origin, as } = entry;
    const isJudged = go.by === "judge";
    await store.appendTimeline(tx, {
      change: row.id,
      at,
      from_state: from,
      to_state: go.to.name,
      stage: go.to.stage,
      by: go.by,
      reason: go.reason,
      evidence: isJudged ? row.evidence : null,
      gates: row.gates.length > 0 ? row.gates : null,
    });
    await audit.record(tx, {
      ...origin,
      action: as?.action ?? `changes.${go.to.name}`,
      resource: { type: "change", id: row.id },
      service: row.service,
      environment: row.environment,
      change: row.id,
      before: { state: from, weight: row.weight },
      after: { state: go.to.name, stage: go.to.stage, ...weightsOf(row, go.to), ...wishesOf(row, from) },
      reason: go.reason,
    });
    const type = as?.event ?? eventType(from, row.stage, go.to);
    if (type) await events.emit(tx, { type, subject: row.id, data: eventData(row, go, from) });
  }

  /** Stores a new change. */
  async function create(row: ChangeRow, origin: Origin): Promise<void> {
    const go: Go = { kind: "go", to: row.position, by: origin.actor.name, reason: row.reason ?? "requested" };
    await db.transaction().execute(async (tx) => {
      await store.insert(tx, row);
      await record(tx, row, { at: clock.now(), go, from: "none", origin });
      const data = eventData(row, go, "none");
      if (missingOf(row).length > 0)
        await events.emit(tx, { type: "changes.approval_awaited", subject: row.id, data });
    });
  }

  /**
   * Moves a change on, together with a patch and more work for the same transaction. False
   * when somebody else moved it first, or when `within` says no: then nothing was written.
   */
  async function apply(
    row: ChangeRow,
    go: Go,
    more: {
      origin: Origin;
      patch?: Partial<ChangeRow>;
      within?: (tx: Tx) => Promise<boolean>;
      as?: Act;
    },
  ): Promise<boolean> {
    const now = clock.now();
    const isFinal = FINAL.includes(go.to.name);
    const isFailing = go.to.name.startsWith("restoring-") || go.to.blocked !== undefined;
    const next = { ...row, ...more.patch };
    const patch = {
      ...more.patch,
      ...positionColumns(next.plan, go.to),
      updated_at: now,
      finished_at: isFinal ? now : null,
      outcome: isFinal || isFailing ? (row.outcome ?? go.reason) : row.outcome,
    };
    const refusal = new Error("refused inside the transaction");
    try {
      return await db.transaction().execute(async (tx) => {
        if (!(await store.update(tx, row, patch))) return false;
        if (more.within && !(await more.within(tx))) throw refusal;
        if (isFinal) await store.releaseLock(tx, row.id);
        const { origin, as } = more;
        // The moment of the decision: the timeline's times differ
        // by what a stage lasted, however slow the database.
        const entry = { at: now, go, from: row.state, origin, as };
        await record(tx, { ...next, outcome: patch.outcome }, entry);
        return true;
      });
    } catch (error) {
      if (error === refusal) return false;
      throw error;
    }
  }

  /**
   * Where the gates stand by now; what is new about them goes into timeline and audit. The change stays where
   * it is, and so does its version.
   */
  async function recordGates(row: ChangeRow, gates: GateResult[], notes: readonly string[]): Promise<void> {
    const { id, state, stage, service, environment } = row;
    const at = clock.now();
    const place = { change: id, at, from_state: state, to_state: state, stage, evidence: null, gates };
    const of = { resource: { type: "change", id }, service, environment, change: id };
    await db.transaction().execute(async (tx) => {
      await store.keepGates(tx, { id, gates, at });
      for (const reason of notes) {
        await store.appendTimeline(tx, { ...place, by: "gate", reason });
        await audit.record(tx, { ...PLATFORM, ...of, action: "changes.gate_changed", reason });
      }
    });
  }

  return { create, apply, recordGates };
}

export type Transitions = ReturnType<typeof createTransitions>;

function weightsOf(row: ChangeRow, position: RolloutState) {
  const { weight, proven } = positionColumns(row.plan, position);
  return { weight, proven };
}

/** What was asked for beside the change itself: only the request's own row needs to say it. */
function wishesOf(row: ChangeRow, from: string) {
  if (from !== "none") return {};
  const { force, override_freeze: overrideFreeze, override_approval: overrideApproval } = row;
  return {
    ...(force.length > 0 ? { force } : {}),
    ...(overrideFreeze === null ? {} : { overrideFreeze }),
    ...(overrideApproval === null ? {} : { overrideApproval }),
  };
}

function eventData(row: ChangeRow, go: Go, from: string): EventData<MoveEvent> {
  const { kind, target, service, environment, candidate, stable, outcome } = row;
  const { name: state, stage } = go.to;
  return {
    kind,
    target,
    service,
    environment,
    candidate,
    stable,
    from,
    state,
    stage,
    by: go.by,
    reason: go.reason,
    outcome,
  };
}

/** Which transitions the world hears of. */
function eventType(from: string, fromStage: number, to: RolloutState): MoveEvent | null {
  if (from === "none") return "changes.requested";
  const direct = EVENT_OF[to.name];
  if (direct) return direct;
  if (to.name !== "stepping" && to.name !== "baking") return null;
  if (from === "paused") return "changes.resumed";
  return from === to.name && fromStage === to.stage ? null : "changes.stage_advanced";
}

const EVENT_OF: Partial<Record<RolloutState["name"], MoveEvent>> = {
  paused: "changes.paused",
  succeeded: "changes.succeeded",
  undone: "changes.undone",
  "undo-blocked": "changes.blocked",
};
