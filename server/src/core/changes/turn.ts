import { AppError } from "@mainstay/api";
import { decide, gatesIn, isInTraffic, restartStage, type Facts, type GateResult } from "@mainstay/rollout";
import { markForced, noteOf, refusalOf } from "./domain/findings.ts";
import { nothingKnown } from "./domain/nothing-known.ts";
import { adoptPreparation } from "./domain/preparation.ts";
import { viewOf } from "./domain/view.ts";
import type { HistoryEntry } from "@mainstay/evidence";
import { createJudgeSession, reasonOf, type JudgedEvidence, type JudgeSession } from "./judge-session.ts";
import type { Clock } from "../../kernel/clock.ts";
import type { Log } from "../../kernel/log.ts";
import { attendHooks } from "./attend-hooks.ts";
import { createGateSession, type GateSession } from "./gate-session.ts";
import type { Approvals } from "./approvals.ts";
import { missingOf } from "./domain/approval.ts";
import type { Freezer } from "./frozen.ts";
import type { ChangeKind, Finding, Observation, Preparation } from "./ports.ts";
import type { Preflight } from "./preflight.ts";
import type { ChangeRow, ChangesStore, Lease } from "./store.ts";
import { PLATFORM, type Transitions } from "./transitions.ts";

/**
 * Service Unavailable (RFC 9110, 15.6.4): what a driver acts on is away, and is asked again until it is back.
 */
const UNAVAILABLE = 503;
/** From here there is only onwards: effects are tried until they succeed. */
const NO_WAY_BACK = new Set(["draining", "restoring-instances", "restoring-weights", "draining-candidate"]);

export interface TurnDependencies {
  store: ChangesStore;
  transitions: Transitions;
  preflight: Preflight;
  freezer: Freezer;
  approvals: Approvals;
  kinds: ChangeKind[];
  clock: Clock;
  log: Log;
}

/** One change's turns in this process: apply what its position asks for, look, judge, decide. */
export function createTurn(dependencies: TurnDependencies, id: string) {
  const { store, transitions, approvals, kinds, clock, log } = dependencies;
  /**
   * Whether this process took the lock itself, or already greeted a change that another process had begun.
   */
  let isKnown = false;
  let appliedVersion = -1;
  let failure: string | null = null;
  let findings: Finding[] = [];
  let session: JudgeSession | null = null;
  let gateSession: GateSession | null = null;
  let unstored: HistoryEntry[] = [];
  let nextSample = 0;

  function kindOf(row: ChangeRow) {
    const kind = kinds.find((each) => each.kind === row.kind);
    if (!kind) throw new Error(`no kind ${row.kind} is registered`);
    return kind;
  }

  /** Takes the target's lock and fixes the plan: only now it is certain which release is the stable one. */
  async function lock(row: ChangeRow, lease: Lease): Promise<boolean> {
    if (await approvals.renew(row)) return true;
    if (missingOf(row).length > 0 || !(await isNext(row))) return false;
    const prepared = await prepare(row);
    if (typeof prepared === "string") return end(row, prepared);
    const patch = adoptPreparation(kindOf(row), row, prepared);
    if (await approvals.adopt(row, patch)) return true;
    const planned = { ...row, ...patch };
    const decision = decide(planned.plan, planned.position, { ...nothingKnownNow(), settled: true });
    if (decision.kind !== "go") return false;
    const { owner, now, expiresAt } = lease;
    const held = { target: planned.target, change: id, owner, heartbeat_at: now, expires_at: expiresAt };
    isKnown = await transitions.apply(row, decision, {
      origin: PLATFORM,
      patch,
      within: (tx) => store.takeLock(tx, held),
    });
    return isKnown;
  }

  /** Whether no other change stands before this one; one that only keeps its old release warm gives way. */
  async function isNext(row: ChangeRow): Promise<boolean> {
    const active = await store.activeFor(row.target);
    const isBefore = (each: ChangeRow) =>
      each.state !== "requested" || (each.id < row.id && missingOf(each).length === 0);
    const before = active.filter((each) => each.id !== row.id && isBefore(each));
    const isFirst = before.every((each) => each.state === "baking" || each.state === "draining");
    if (!isFirst) return false;
    for (const each of before) {
      const command = { name: "finish", by: row.requested_by.name, reason: `${id} follows` } as const;
      const decision = decide(each.plan, each.position, { ...nothingKnownNow(), command });
      const origin = { ...PLATFORM, actor: row.requested_by };
      if (decision.kind === "go") await transitions.apply(each, decision, { origin });
    }
    return before.length === 0;
  }

  /** What the kind makes of the request by now, or why it no longer makes sense. */
  async function prepare(row: ChangeRow): Promise<Preparation | string> {
    try {
      return await kindOf(row).prepare(row);
    } catch (error) {
      if (!(error instanceof AppError) || error.status === UNAVAILABLE) throw error;
      return error.message;
    }
  }

  async function end(row: ChangeRow, reason: string): Promise<boolean> {
    const decision = decide(row.plan, row.position, { ...nothingKnownNow(), failure: reason });
    return decision.kind === "go" && transitions.apply(row, decision, { origin: PLATFORM });
  }

  /** One look at a change whose lock is ours; true when it moved on. */
  async function take(row: ChangeRow): Promise<boolean> {
    if (!isKnown) {
      isKnown = true;
      if (await startStageAnew(row)) return true;
    }
    // What it is leaving has taken hold; the hooks in between alter none of it.
    const isLeaving = row.position.leaving !== undefined;
    if (!isLeaving) await applyOnce(row);
    const observation = await observe(row);
    const evidence = await judge(row);
    const gates = await lookAtGates(row);
    const facts: Facts = {
      ...nothingKnownNow(),
      undoBlocked: (await kindOf(row).undoBlocked?.(viewOf(row))) ?? null,
      settled: failure === null && observation.waitingFor === null,
      failure: failure ?? observation.failure,
      note: row.state === "preflight" && !isLeaving ? noteOf(findings) : (observation.note ?? null),
      verdict: verdictOf(row, evidence),
      gates,
    };
    const decision = decide(row.plan, row.position, facts);
    if (decision.kind !== "go") return false;
    const patch = row.state === "preflight" && !isLeaving ? { findings } : {};
    return transitions.apply({ ...row, evidence, gates }, decision, { origin: PLATFORM, patch });
  }

  /** After a restart nobody knows what the stage saw meanwhile. */
  async function startStageAnew(row: ChangeRow): Promise<boolean> {
    const nowMs = clock.now().getTime();
    const position = restartStage(row.position, nowMs);
    if (position === row.position) return false;
    const reason = "the server came back; the stage starts anew";
    return transitions.apply(row, { kind: "go", to: position, by: "platform", reason }, { origin: PLATFORM });
  }

  async function applyOnce(row: ChangeRow): Promise<void> {
    if (appliedVersion === row.version) return;
    failure = null;
    try {
      await applyEffects(row);
    } catch (error) {
      const isFinding =
        error instanceof AppError && error.status !== UNAVAILABLE && !NO_WAY_BACK.has(row.state);
      if (!isFinding) throw error;
      failure = error.message;
    }
    appliedVersion = row.version;
    if (row.state === "stepping") await startStage(row);
  }

  async function applyEffects(row: ChangeRow): Promise<void> {
    const change = viewOf(row);
    const drivers = new Map(kindOf(row).drivers.map((driver) => [driver.name, driver]));
    if (row.state === "preflight") return preflight(row);
    for (const step of row.steps) {
      const isNow = step.state === row.state && (step.stage === null || step.stage === row.stage);
      if (isNow) await drivers.get(step.driver)?.apply(change, step);
    }
    for (const step of row.steps.toReversed()) {
      if (step.undoneIn === row.state) await drivers.get(step.driver)?.undo(change, step);
    }
  }

  async function preflight(row: ChangeRow): Promise<void> {
    const found = await dependencies.preflight(kindOf(row), viewOf(row));
    const waited = [...dependencies.freezer.find(row), ...approvals.find(row)];
    findings = [...waited, ...markForced(found, row.force)];
    failure = refusalOf(findings);
  }

  async function observe(row: ChangeRow): Promise<Observation> {
    const { drivers, hooks } = kindOf(row);
    const change = viewOf(row);
    const all = await Promise.all(drivers.map((driver) => driver.observe(change)));
    const seen = {
      waitingFor: all.find((each) => each.waitingFor !== null)?.waitingFor ?? null,
      failure: all.find((each) => each.failure !== null)?.failure ?? null,
      note: all.find((each) => each.note)?.note ?? null,
    };
    return hooks ? attendHooks({ hooks, change, seen, log }) : seen;
  }

  async function startStage(row: ChangeRow): Promise<void> {
    const opened = await openSession(row);
    if (opened) unstored.push(opened.startStage(clock.now().getTime()));
  }

  async function openSession(row: ChangeRow): Promise<JudgeSession | null> {
    const { signal } = kindOf(row);
    if (!row.judge || !signal || row.stable === null) return null;
    if (session) return session;
    const samples = await store.samples(id);
    nextSample = (samples.at(-1)?.seq ?? -1) + 1;
    const history = samples.flatMap((each) => each.history);
    const sinceMs = history.length > 0 ? clock.now().getTime() : row.position.enteredAtMs;
    const opened = createJudgeSession({ judged: row, signal, history, sinceMs });
    session = opened;
    if (history.length === 0 && row.state !== "stepping") unstored.push(opened.startStage(sinceMs));
    return opened;
  }

  async function judge(row: ChangeRow): Promise<JudgedEvidence | null> {
    const opened = isWatched(row) ? await openSession(row) : null;
    const seen = await opened?.tick(viewOf(row));
    if (!seen) return row.evidence;
    unstored.push(...seen.history);
    const firstAt = seen.firstCandidateAtMs === null ? null : new Date(seen.firstCandidateAtMs);
    const sample = { change: id, seq: nextSample, at: clock.now(), history: unstored };
    await store.recordEvidence(sample, seen.evidence, firstAt);
    nextSample += 1;
    unstored = [];
    return seen.evidence;
  }

  /** Where the gates of the position stand; whatever happens to the metrics, nothing waits for them. */
  async function lookAtGates(row: ChangeRow): Promise<GateResult[]> {
    if (gatesIn(row.plan, row.position).length === 0) return [];
    gateSession ??= createGateSession({ keeper: kindOf(row).gates, clock });
    const { results, hasNews, notes } = gateSession.look(viewOf(row), row.gates);
    if (hasNews) await transitions.recordGates(row, results, notes);
    return results;
  }

  const nothingKnownNow = () => nothingKnown(clock.now().getTime());

  /** Another server has the change now: whatever was known about it is old. */
  function forget(): void {
    isKnown = false;
    appliedVersion = -1;
    session = null;
    gateSession = null;
    unstored = [];
  }

  return { lock, take, forget };
}

/** At 100 % there is no other arm to compare with, but an absolute ceiling still holds. */
function isWatched({ plan, position, limits, state }: ChangeRow): boolean {
  const isCompared = isInTraffic(plan, position) && state !== "baking" && position.pausedFrom !== "baking";
  const hasCeiling = limits.errorRate !== undefined || limits.latencyP95Ms !== undefined;
  return isCompared || (hasCeiling && isInTraffic(plan, position) && state !== "draining");
}

function verdictOf(row: ChangeRow, evidence: JudgedEvidence | null): Facts["verdict"] {
  if (!row.judge || row.stable === null) return null;
  if (!evidence) return { kind: "insufficient", reason: "no request has reached both arms yet" };
  return { kind: evidence.verdict, reason: reasonOf(evidence) };
}
