import { isDeepStrictEqual } from "node:util";
import { AppError } from "@mainstay/api";
import {
  decide,
  initialState,
  provenOf,
  weightOf,
  type Command,
  type Decision,
  type Facts,
} from "@mainstay/rollout";
import type { Audit } from "../audit/index.ts";
import type { Clock } from "../../kernel/clock.ts";
import type { Database } from "../../kernel/database/index.ts";
import type { TypedEvents } from "../../kernel/events/index.ts";
import type { Ids } from "../../kernel/ids.ts";
import type { Approvals } from "./approvals.ts";
import { missingOf } from "./domain/approval.ts";
import { nothingKnown } from "./domain/nothing-known.ts";
import { findingOf, markForced } from "./domain/findings.ts";
import { planSteps } from "./domain/preparation.ts";
import { viewOf } from "./domain/view.ts";
import type { Origin } from "../../kernel/http/index.ts";
import type { Freezer } from "./frozen.ts";
import type { ChangeKind, Finding } from "./ports.ts";
import type { Preflight } from "./preflight.ts";
import { replayEvidence } from "./judge-session.ts";
import type { ChangeRow, ChangesStore } from "./store.ts";
import type { Transitions } from "./transitions.ts";

export interface ChangesDependencies {
  db: Database;
  clock: Clock;
  ids: Ids;
  audit: Audit;
  events: TypedEvents;
  kinds: ChangeKind[];
  store: ChangesStore;
  transitions: Transitions;
  preflight: Preflight;
  freezer: Freezer;
  approvals: Approvals;
  /** The environments marked production. */
  production: readonly string[];
}

export interface ChangeRequest {
  kind: string;
  candidate: string;
  /** All traffic at once after the gate, whatever the service file says. */
  immediate: boolean;
  reason: string | null;
  /** Whose candidate it is, for kinds whose candidates do not say so. */
  service?: string | undefined;
  environment?: string | undefined;
  /** Codes of findings that are not to stop the change. */
  force?: readonly string[];
  /** Why it goes on in spite of a freeze window. */
  overrideFreeze?: string | null;
  /** Why it goes on without the approvals it would need. */
  overrideApproval?: string | null;
  /** Whether it waits in order behind a change under way instead of being refused. */
  queue?: boolean;
  /** Whether it takes the place of those that wait already; it waits itself then. */
  supersede?: boolean;
}

/** So many changes may wait for one target. */
const QUEUE_MAX = 20;

/** The use cases of changes: ask for one, steer it, look at it. The runner carries them out. */
export function createChanges(dependencies: ChangesDependencies) {
  const { clock, ids, kinds, store, transitions, preflight, freezer, approvals } = dependencies;
  const byName = new Map(kinds.map((each) => [each.kind, each]));

  function kindOf(name: string): ChangeKind {
    const kind = byName.get(name);
    if (!kind) throw new AppError("NOT_FOUND", { what: `the kind of change ${name}` });
    return kind;
  }

  async function change(id: string): Promise<ChangeRow> {
    const row = await store.change(id);
    if (!row) throw new AppError("NOT_FOUND", { what: `change ${id}` });
    return row;
  }

  async function draft(wish: ChangeRequest, origin: Origin): Promise<ChangeRow> {
    const prepared = await kindOf(wish.kind).prepare(wish);
    const now = clock.now();
    const position = initialState(now.getTime());
    const row: ChangeRow = {
      id: ids.next("chg"),
      kind: wish.kind,
      immediate: wish.immediate,
      ...prepared,
      state: position.name,
      stage: position.stage,
      position,
      steps: [],
      weight: weightOf(prepared.plan, position),
      proven: provenOf(prepared.plan, position),
      requested_by: origin.actor,
      on_behalf_of: origin.onBehalfOf ?? null,
      reason: wish.reason,
      outcome: null,
      evidence: null,
      gates: [],
      findings: [],
      force: [...(wish.force ?? [])],
      freeze: prepared.freeze ?? [],
      override_freeze: wish.overrideFreeze ?? null,
      plan_digest: "",
      approval_rules: [],
      approvals: [],
      override_approval: wish.overrideApproval ?? null,
      first_candidate_at: null,
      created_at: now,
      updated_at: now,
      finished_at: null,
      version: 0,
    };
    return approvals.guard({ ...row, steps: planSteps(kindOf(wish.kind), row) });
  }

  /** Whether a change is about production, or would need approvals: forcing one takes a second factor. */
  async function isGuarded(wish: ChangeRequest): Promise<boolean> {
    const { environment } = await kindOf(wish.kind).prepare(wish);
    return dependencies.production.includes(environment) || approvals.isAbout(wish.kind, environment);
  }

  /** What a request would do and what speaks against it; alters nothing. */
  async function preview(
    wish: ChangeRequest,
    origin: Origin,
  ): Promise<{ change: ChangeRow; findings: Finding[] }> {
    const kind = kindOf(wish.kind);
    const row = await draft(wish, origin);
    const found = await preflight(kind, viewOf(row));
    const blocker = await blockerOf(row.target);
    const waits = wish.queue || wish.supersede;
    const locked = blocker ? [findingOf(lockedBy(blocker), { severity: waits ? "warning" : "error" })] : [];
    const waited = [...locked, ...freezer.find(row), ...approvals.find(row)];
    return { change: row, findings: [...waited, ...markForced(found, row.force)] };
  }

  /**
   * Asks for a change. One that only keeps its old release warm gives way to it; any other holds the target,
   * and the request is refused or, if it says so, waits its turn.
   */
  async function request(wish: ChangeRequest, origin: Origin): Promise<ChangeRow> {
    const row = await draft(wish, origin);
    freezer.refuse(row);
    const waiting = await waitingFor(row.target);
    const blocker = wish.queue || wish.supersede ? undefined : await blockerOf(row.target);
    if (blocker) throw lockedBy(blocker);
    const mayWait = wish.queue || missingOf(row).length > 0;
    if (mayWait && !wish.supersede && waiting.length >= QUEUE_MAX)
      throw new AppError("CHANGE_QUEUE_FULL", { count: waiting.length, target: row.target });
    await transitions.create(row, origin);
    if (wish.supersede)
      for (const each of waiting) await endWaiting(each.id, `superseded by ${row.id}`, origin);
    return row;
  }

  async function waitingFor(target: string): Promise<ChangeRow[]> {
    return (await store.activeFor(target)).filter((each) => each.state === "requested");
  }

  /** Ends a change that has not begun; answers it as it then is, which may be under way after all. */
  async function endWaiting(id: string, reason: string, origin: Origin): Promise<ChangeRow> {
    for (;;) {
      const row = await change(id);
      if (row.state !== "requested") return row;
      const decision = decideOn(row, { name: "abort", reason, by: origin.actor.name });
      if (decision.kind === "go") await transitions.apply(row, decision, { origin });
    }
  }

  /** Takes a change out of the queue; one that has begun is to be aborted instead. */
  async function cancel(id: string, reason: string | null, origin: Origin): Promise<ChangeRow> {
    const ended = await endWaiting(id, reason ?? `cancelled by ${origin.actor.name}`, origin);
    if (ended.state === "undone") return ended;
    const because = "it has begun; abort it to have it undone";
    throw refused(ended, "cancel", { kind: "refuse", because });
  }

  /** What holds the target; what waits for approval holds up nobody. */
  async function blockerOf(target: string): Promise<ChangeRow | undefined> {
    const active = await store.activeFor(target);
    const isAway = (each: ChangeRow) => each.state === "requested" && missingOf(each).length > 0;
    return active.find((each) => each.state !== "baking" && each.state !== "draining" && !isAway(each));
  }

  function decideOn(row: ChangeRow, order: NonNullable<Facts["command"]>): Decision {
    return decide(row.plan, row.position, { ...nothingKnown(clock.now().getTime()), command: order });
  }

  async function command(
    id: string,
    order: { name: Command; reason: string | null },
    origin: Origin,
  ): Promise<ChangeRow> {
    for (let attempt = 0; attempt < 5; attempt++) {
      const row = await change(id);
      if (order.name === "abort") await mustBeUndoable(row);
      const decision = decideOn(row, { ...order, by: origin.actor.name });
      if (decision.kind !== "go") throw refused(row, order.name, decision);
      if (await transitions.apply(row, decision, { origin })) return change(id);
    }
    throw new AppError("INTERNAL", {}, { cause: new Error(`change ${id} moved too fast to be commanded`) });
  }

  /** Throws CHANGE_UNDO_BLOCKED when the change has the traffic and the stable arm cannot take it back. */
  async function mustBeUndoable(row: ChangeRow): Promise<void> {
    const isInTraffic = row.weight > 0 && row.finished_at === null;
    const reason = isInTraffic ? await kindOf(row.kind).undoBlocked?.(viewOf(row)) : null;
    if (reason) throw new AppError("CHANGE_UNDO_BLOCKED", { change: row.id, reason });
  }

  /** Goes back: undoes a change under way, or brings the release before it back when it has ended. */
  async function rollback(id: string, reason: string | null, origin: Origin): Promise<ChangeRow> {
    const row = await change(id);
    // It only takes leave of the release before it, and cannot be undone any more: going back follows it.
    const isEnding = row.state === "draining";
    if (row.finished_at === null && !isEnding)
      return command(id, { name: "abort", reason: reason ?? "rolled back" }, origin);
    if ((row.state !== "succeeded" && !isEnding) || !row.stable)
      throw new AppError("CHANGE_NOTHING_TO_UNDO", { target: row.target });
    return request({ ...wayBackOf(row, row.stable), ...(reason ? { reason } : {}) }, origin);
  }

  /** Computes the latest evidence again from the stored samples. */
  async function replay(id: string) {
    const row = await change(id);
    const samples = await store.samples(id);
    const again = replayEvidence(
      row,
      samples.flatMap((each) => each.history),
    );
    const isEqual = isDeepStrictEqual(JSON.parse(JSON.stringify(again)), row.evidence);
    return { stored: row.evidence, replayed: again, isEqual, samples: samples.length };
  }

  async function approve(
    id: string,
    order: { reason: string | null; planDigest?: string | undefined },
    origin: Origin,
  ): Promise<ChangeRow> {
    await approvals.approve(id, order, origin);
    return change(id);
  }

  async function reject(id: string, reason: string, origin: Origin): Promise<ChangeRow> {
    await approvals.reject(id, reason, origin);
    return change(id);
  }

  return {
    isGuarded,
    request,
    approve,
    reject,
    cancel,
    preview,
    command,
    rollback,
    change,
    list: store.list,
    timeline: store.timeline,
    samples: store.samples,
    locks: store.locks,
    referenced: store.referenced,
    replay,
    pruneSamples: store.pruneSamples,
  };
}
export type Changes = ReturnType<typeof createChanges>;

function lockedBy(blocker: ChangeRow): AppError {
  return new AppError("CHANGE_LOCKED", {
    target: blocker.target,
    change: blocker.id,
    state: blocker.state,
    by: blocker.requested_by.name,
    since: blocker.created_at.toISOString(),
  });
}

function refused(row: ChangeRow, verb: string, decision: Exclude<Decision, { kind: "go" }>): AppError {
  const params = { change: row.id, verb, state: row.state };
  return new AppError("CHANGE_REFUSED", params, { errors: [{ path: "command", message: decision.because }] });
}

/** What brings the release before a change back at once. */
function wayBackOf(row: ChangeRow, candidate: string): ChangeRequest {
  return {
    kind: row.kind,
    candidate,
    service: row.service,
    environment: row.environment,
    immediate: true,
    reason: `rolls ${row.id} back`,
    overrideFreeze: "going back is never frozen",
    overrideApproval: "going back needs no approval",
  };
}
