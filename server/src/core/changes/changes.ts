import { isDeepStrictEqual } from "node:util";
import { AppError } from "@mainstay/api";
import { decide, initialState, provenOf, weightOf, type Command, type Decision } from "@mainstay/rollout";
import type { Audit } from "../audit/index.ts";
import type { Clock } from "../../kernel/clock.ts";
import type { Database } from "../../kernel/database/index.ts";
import type { TypedEvents } from "../../kernel/events/index.ts";
import type { Ids } from "../../kernel/ids.ts";
import { findingOf, markForced } from "./domain/findings.ts";
import { planSteps } from "./domain/preparation.ts";
import { viewOf } from "./domain/view.ts";
import type { ChangeKind, Finding, Preparation } from "./ports.ts";
import type { Preflight } from "./preflight.ts";
import { replayEvidence } from "./judge-session.ts";
import type { ChangeRow, ChangesStore } from "./store.ts";
import type { Origin, Transitions } from "./transitions.ts";

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
}

export interface ChangeRequest {
  kind: string;
  candidate: string;
  /** All traffic at once after the gate, whatever the service file says. */
  immediate: boolean;
  reason: string | null;
  /** Codes of findings that are not to stop the change. */
  force?: readonly string[];
}

/** The use cases of changes: ask for one, steer it, look at it. The runner carries them out. */
export function createChanges(dependencies: ChangesDependencies) {
  const { clock, ids, kinds, store, transitions, preflight } = dependencies;
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

  function draft(wish: ChangeRequest, prepared: Preparation, origin: Origin): ChangeRow {
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
      reason: wish.reason,
      outcome: null,
      evidence: null,
      findings: [],
      force: [...(wish.force ?? [])],
      first_candidate_at: null,
      created_at: now,
      updated_at: now,
      finished_at: null,
      version: 0,
    };
    return { ...row, steps: planSteps(kindOf(wish.kind), row) };
  }

  /** What a request would do and what speaks against it; alters nothing. */
  async function preview(
    wish: ChangeRequest,
    origin: Origin,
  ): Promise<{ change: ChangeRow; findings: Finding[] }> {
    const kind = kindOf(wish.kind);
    const row = draft(wish, await kind.prepare(wish), origin);
    const found = await preflight(kind, viewOf(row));
    const blocker = await blockerOf(row.target);
    const findings = [...(blocker ? [findingOf(lockedBy(blocker))] : []), ...found];
    return { change: row, findings: markForced(findings, row.force) };
  }

  /** Asks for a change. One that only keeps its old release warm gives way; any other holds the target. */
  async function request(wish: ChangeRequest, origin: Origin): Promise<ChangeRow> {
    const row = draft(wish, await kindOf(wish.kind).prepare(wish), origin);
    const blocker = await blockerOf(row.target);
    if (blocker) throw lockedBy(blocker);
    for (const each of await store.activeFor(row.target)) await giveWay(each, row, origin);
    await transitions.create(row, origin);
    return row;
  }

  /** Ends the baking of the change before; one that is draining already is waited for, and needs no order. */
  async function giveWay(before: ChangeRow, next: ChangeRow, origin: Origin): Promise<void> {
    try {
      await command(before.id, { name: "finish", reason: `${next.id} follows` }, origin);
    } catch (error) {
      const hasMovedOn = error instanceof AppError && error.code === "CHANGE_REFUSED";
      if (!hasMovedOn) throw error;
    }
  }

  async function blockerOf(target: string): Promise<ChangeRow | undefined> {
    const active = await store.activeFor(target);
    return active.find((each) => each.state !== "baking" && each.state !== "draining");
  }

  async function command(
    id: string,
    order: { name: Command; reason: string | null },
    origin: Origin,
  ): Promise<ChangeRow> {
    for (let attempt = 0; attempt < 5; attempt++) {
      const row = await change(id);
      const decision = decide(row.plan, row.position, {
        nowMs: clock.now().getTime(),
        settled: false,
        failure: null,
        note: null,
        undoBlocked: null,
        verdict: null,
        command: { ...order, by: origin.actor.name },
      });
      if (decision.kind !== "go") throw refused(row, order.name, decision);
      if (await transitions.apply(row, decision, { origin })) return change(id);
    }
    throw new AppError("INTERNAL", {}, { cause: new Error(`change ${id} moved too fast to be commanded`) });
  }

  /** Goes back: undoes a change under way, or brings the release before it back when it has ended. */
  async function rollback(id: string, reason: string | null, origin: Origin): Promise<ChangeRow> {
    const row = await change(id);
    if (row.finished_at === null)
      return command(id, { name: "abort", reason: reason ?? "rolled back" }, origin);
    if (row.state !== "succeeded" || !row.stable)
      throw new AppError("CHANGE_NOTHING_TO_UNDO", { target: row.target });
    const wish = {
      kind: row.kind,
      candidate: row.stable,
      immediate: true,
      reason: reason ?? `rolls ${row.id} back`,
    };
    return request(wish, origin);
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

  return {
    request,
    preview,
    command,
    rollback,
    change,
    list: store.list,
    timeline: store.timeline,
    samples: store.samples,
    locks: store.locks,
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
