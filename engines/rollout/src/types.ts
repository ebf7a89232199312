import type { GateResult, PlannedGate } from "./gate.ts";

/** States in the order a change passes them; docs/architecture.md describes each. */
export type RolloutStateName =
  | "requested"
  | "locked"
  | "preflight"
  | "backup"
  | "migrating"
  | "rehearsing"
  | "starting"
  | "gating"
  | "stepping"
  | "verifying"
  | "baking"
  | "draining"
  | "succeeded"
  | "paused"
  | "restoring-instances"
  | "restoring-weights"
  | "draining-candidate"
  | "undone"
  | "undo-blocked";

export interface Stage {
  /** The candidate's share in ten-thousandths. */
  weight: number;
  bakeMs: number;
  /** Only where instances are replaced batch by batch. */
  instances?: BatchCounts;
  /** What must be well in this stage, beside the gates of the whole change. */
  gates?: readonly PlannedGate[];
}

/** How many instances of each release a stage has. */
export interface BatchCounts {
  candidate: number;
  /** To how many the stable ones shrink before the candidate's start. */
  room: number;
  stable: number;
  /** Of how many: each release in full. */
  all: { candidate: number; stable: number };
}

/** The stable arm's process that is tried out of traffic, and for how long; or why it is not. */
export type Rehearsal = { process: string; deadlineMs: number } | { skipped: string };

/** Between two states: when one has ended, and before another begins. */
export interface Moment {
  when: "before" | "after";
  state: RolloutStateName;
}

/** Something that is done at a moment, in words. */
export interface PlannedHook extends Moment {
  what: string;
}

/** What was decided once, when the change was requested. */
export interface RolloutPlan {
  /** Rising weights; the last is 10,000. */
  stages: Stage[];
  keepWarmMs: number;
  /** How long `gating` may last before the candidate counts as never healthy. */
  gateDeadlineMs: number;
  /** What to do at the end of a stage's bake time without a verdict. */
  onTooLittleEvidence: "hold" | "advance";
  /** False when there is no stable arm: nothing to compare with and nowhere to go back to. */
  hasStable: boolean;
  /** When the candidate's endpoints are verified: before it gets traffic, or once it has all of it. */
  verify?: "before-traffic" | "after-traffic" | null;
  /** Not null: after `migrating` it is tried whether the stable arm could still start. */
  rehearsal?: Rehearsal | null;
  /** A change on its way forward waits for them. */
  hooks?: readonly PlannedHook[];
  /** What must be well as long as the candidate serves; their names differ from those of the stages. */
  gates?: readonly PlannedGate[];
  /** States that mean nothing to this kind of change. */
  skips: readonly RolloutStateName[];
}

/** Where a change stands: everything that must survive a restart. Times in ms since the epoch. */
export interface RolloutState {
  name: RolloutStateName;
  /** Index into `plan.stages`; -1 before the first. */
  stage: number;
  enteredAtMs: number;
  stageStartedAtMs: number | null;
  pausedFrom: RolloutStateName | null;
  /** Where it goes once the hooks in between have run; until then it counts as being where it was. */
  leaving?: RolloutState;
  /** Why it stays where it is although it failed: there is no way back. */
  blocked?: string;
  /** The state in which it was decided to go back. */
  undoneFrom?: RolloutStateName;
}

export type Command = "promote" | "promote-full" | "pause" | "resume" | "abort" | "finish";

/** What is known at one instant. */
export interface Facts {
  nowMs: number;
  /**
   * Whether the effects of the present state have taken hold (instances started, weights confirmed, drained);
   * of a change that is leaving it, whether the hooks have run.
   */
  settled: boolean;
  /** Why the candidate cannot go on, in words; null when nothing failed. */
  failure: string | null;
  /** What the timeline is to say of the step forward, instead of the usual words; null when nothing. */
  note: string | null;
  /** Why the stable release can no longer do its work, so that going back helps nobody; null when it can. */
  undoBlocked: string | null;
  /** The judge's verdict on the traffic so far; null when nothing is judged. */
  verdict: { kind: "harm" | "no-harm" | "insufficient"; reason: string } | null;
  /** Where the gates of the position stand; one that was never asked is missing. */
  gates: readonly GateResult[];
  command: { name: Command; by: string; reason: string | null } | null;
}

export type Decision =
  | { kind: "stay"; because: string }
  | { kind: "refuse"; because: string }
  | { kind: "go"; to: RolloutState; by: string; reason: string };
