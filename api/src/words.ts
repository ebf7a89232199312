/** The words of docs/architecture.md as values: one spelling for code, API, CLI and console. */

export const ARMS = ["stable", "candidate"] as const;
export type Arm = (typeof ARMS)[number];

export const VERDICTS = ["harm", "no-harm", "insufficient"] as const;
export type Verdict = (typeof VERDICTS)[number];

/** Where a gate stands; without data is a state of its own. */
export const GATE_STATES = ["passed", "broken", "no-data", "waiting"] as const;

export const METRICS = ["errors", "latency"] as const;
export type JudgedMetric = (typeof METRICS)[number];

/** How the next instance of an arm is chosen. */
export const BALANCES = ["round-robin", "least-connections"] as const;

export const STRATEGIES = ["canary", "blue-green", "rolling", "immediate"] as const;
export type Strategy = (typeof STRATEGIES)[number];

export const CHANGE_KINDS = ["release", "setting", "scale"] as const;
export type ChangeKindName = (typeof CHANGE_KINDS)[number];

/** Whether the release before still runs on the schema that a release command leaves behind. */
export const COMPATIBILITIES = ["expand", "contract", "none"] as const;
export type Compatibility = (typeof COMPATIBILITIES)[number];

/** Names under which commands run that are no processes of a service. */
export const TASKS = ["release", "rehearsal", "hook", "run"] as const;
export type TaskName = (typeof TASKS)[number];
export function isTask(process: string): process is TaskName {
  return TASKS.some((each) => each === process);
}

/** The name under which the command runs that makes a release. */
export const BUILD = "build";

export const BUILD_STATES = ["waiting", "running", "succeeded", "failed", "stopped"] as const;
export type BuildState = (typeof BUILD_STATES)[number];

export const SEVERITIES = ["error", "warning"] as const;

/** In the order a change passes them; a kind passes over the states that mean nothing to it. */
export const PROGRESS_STATES = [
  "requested",
  "locked",
  "preflight",
  "backup",
  "migrating",
  "rehearsing",
  "starting",
  "gating",
  "stepping",
  "verifying",
  "baking",
  "draining",
  "succeeded",
] as const;
export const UNDO_STATES = [
  "restoring-instances",
  "restoring-weights",
  "draining-candidate",
  "undone",
  "undo-blocked",
] as const;
export const CHANGE_STATES = [...PROGRESS_STATES, "paused", ...UNDO_STATES] as const;
export type ChangeState = (typeof CHANGE_STATES)[number];

export const FINAL_STATES: readonly ChangeState[] = ["succeeded", "undone", "undo-blocked"];
export function isFinal(state: ChangeState): boolean {
  return FINAL_STATES.includes(state);
}

/** Weights and buckets are counted in ten-thousandths of the traffic. */
export const BUCKETS = 10_000;
/** Users are spread over this many groups; the design effect is estimated from them. */
export const GROUPS = 20;
