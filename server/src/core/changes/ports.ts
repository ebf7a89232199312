import type { FreezeWindow, Probe } from "@mainstay/api";
import type {
  GateAnswer,
  Moment,
  PlannedGate,
  RolloutPlan,
  RolloutState,
  RolloutStateName,
} from "@mainstay/rollout";

/** A change as drivers and signals see it. */
export interface ChangeView {
  id: string;
  kind: string;
  service: string;
  environment: string;
  /** What is being brought in, for example a release id. */
  candidate: string;
  /** What serves now and stays to fall back to; null when there is nothing yet. */
  stable: string | null;
  plan: RolloutPlan;
  position: RolloutState;
  /** The candidate's share in ten-thousandths that belongs to the position, and the one to fall back to. */
  weight: number;
  proven: number;
}

/** One act of a driver, as data: shown before it is done, done again after a crash. */
export interface Step {
  driver: string;
  act: string;
  title: string;
  /** When it is applied. */
  state: RolloutStateName;
  /** Only in this stage; null: in every one. */
  stage: number | null;
  /** When it is taken back, if at all. */
  undoneIn: "restoring-weights" | "draining-candidate" | null;
}

/** Something that speaks against a change, found before it starts. */
export interface Finding {
  code: string;
  /** An error stops the change; a warning is shown and recorded. */
  severity: "error" | "warning";
  message: string;
  remedy: string;
  /** Whether an admin may go on in spite of this error. */
  isForceable: boolean;
  isForced: boolean;
  /** The other service that it is about, if it is about one. */
  about?: string;
}

/** One family of questions that are asked before a change starts; alters nothing. */
export interface Check {
  name: string;
  find(change: ChangeView): Promise<Finding[]>;
}

/** What a driver sees of the position a change is in. */
export interface Observation {
  /** Null when the effects have taken hold, else what is still missing. */
  waitingFor: string | null;
  /** Why the candidate cannot go on; null when nothing failed. */
  failure: string | null;
  /** What the timeline is to say once the change goes on. */
  note?: string | null;
}

/** Takes part in changes: acts in the world. `apply` and `undo` are idempotent. */
export interface Driver {
  name: string;
  plan(change: ChangeView): Step[];
  check(change: ChangeView): Promise<Finding[]>;
  apply(change: ChangeView, step: Step): Promise<void>;
  undo(change: ChangeView, step: Step): Promise<void>;
  observe(change: ChangeView): Promise<Observation>;
  /** Calls the listener whenever an observation may have changed; returns how to stop. */
  onNews(listener: () => void): () => void;
}

/** A moment of a change that has come; states that are passed several times are told apart by their stage. */
export interface Occasion extends Moment {
  stage: number;
}

/**
 * What runs around the states of changes. Each hook runs once for an occasion, however often it is asked for.
 */
export interface Hooks {
  /** As data, to be shown with the plan. */
  plan(change: ChangeView): Step[];
  /**
   * Begins the next one that is due, in order of the occasions; nothing is waited for when all have ended.
   */
  run(change: ChangeView, occasions: readonly Occasion[]): Promise<Observation>;
  /** Ends what still runs of a change on its way forward, because it is being undone. */
  stop(change: ChangeView): Promise<void>;
  /** Whether a process of one that was ended is still there. */
  remain(change: ChangeView): Promise<boolean>;
}

/**
 * Which requests count as bad: failed ones; those slower than the stable arm's p95;
 * those slower than half as long again as its median; those slower than a threshold;
 * probes of the platform's own that were not answered as they should be; what a gate counts.
 */
export type Metric =
  | { name: "errors" }
  | { name: "latency" }
  | { name: "typical-latency" }
  | { name: "slower-than"; thresholdMs: number }
  | { name: "probes"; probes: ProbePlan }
  | { name: "counts"; gate: string };

/** What the platform itself asks of both arms where users ask too little. */
export interface ProbePlan {
  /** In turn. */
  list: readonly Probe[];
  /** Of each arm. */
  ratePerSecond: number;
}

export interface ArmTally {
  /** Indexed by group, 0–19. */
  total: number[];
  bad: number[];
}

/** Both arms over the same stretch of time, normally one second. */
export interface Block {
  /** End of the stretch, ms since the epoch. */
  atMs: number;
  fromMs: number;
  stable: ArmTally;
  candidate: ArmTally;
}

/** Counts per arm: what the judge looks at. */
export interface Signal {
  /** Blocks that ended after `sinceMs`, oldest first. */
  counts(question: { change: ChangeView; metric: Metric; sinceMs: number }): Promise<Block[]>;
  /** Calls the listener whenever there is something new to count; returns how to stop. */
  onNews(listener: () => void): () => void;
}

/** Who knows metrics: asks what the gates of a change want to know. */
export interface GateKeeper {
  /**
   * Never fails, and never takes much longer than its time
   * limit: who cannot answer says that there is no data.
   */
  ask(change: ChangeView, gate: PlannedGate): Promise<GateAnswer>;
}

export interface JudgeSettings {
  metrics: ("errors" | "latency")[];
  alpha: number;
  warmupMs: number;
  /** Null: only users' requests are evidence. */
  probes?: ProbePlan | null;
  /** Gates whose counts are compared; missing where there are none. */
  counted?: readonly CountedGate[];
}

export interface CountedGate {
  gate: string;
  /** Whether the judge goes on without it while nothing is counted. */
  isOptional: boolean;
}

export interface Limits {
  /** Share of failed requests, 0–1. */
  errorRate?: number | undefined;
  latencyP95Ms?: number | undefined;
}

/** What a kind makes of a request: whom it concerns, how it proceeds, who judges. */
export interface Preparation {
  target: string;
  service: string;
  environment: string;
  candidate: string;
  stable: string | null;
  plan: RolloutPlan;
  judge: JudgeSettings | null;
  limits: Limits;
  /** When nothing new is brought in, beside the platform's own windows. */
  freeze?: FreezeWindow[];
}

/** A kind of change: compose.ts registers one for everything that alters production. */
export interface ChangeKind {
  kind: string;
  drivers: Driver[];
  /** Asked beside the drivers' own checks. */
  checks?: readonly Check[];
  signal: Signal | null;
  /** Missing where nobody knows metrics: then gates have no data. */
  gates?: GateKeeper;
  /** Missing where nothing runs around its states. */
  hooks?: Hooks;
  prepare(request: PreparedRequest): Promise<Preparation>;
  /** Why the stable arm can no longer do its work, so that an undo would help nobody; null when it can. */
  undoBlocked?(change: ChangeView): Promise<string | null>;
}

/** What a kind is given: service and environment only where the candidate does not say whose it is. */
export interface PreparedRequest {
  candidate: string;
  immediate: boolean;
  service?: string | undefined;
  environment?: string | undefined;
}
