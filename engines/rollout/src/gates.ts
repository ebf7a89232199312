import type { GateAnswer, GateResult, GateValue, PlannedGate } from "./gate.ts";
import type { RolloutPlan, RolloutState } from "./types.ts";
import { actualName } from "./weights.ts";

const FULL = 10_000;
/** Nothing was scraped yet, or the server has just come back: that alone undoes no release. */
const NO_DATA_GRACE_MS = 60_000;
/** Beyond so many intervals, nobody knows how the gate stood meanwhile. */
const MISSED_INTERVALS = 3;

/**
 * The gates of a position: those of its stage, and those of the whole change while it is in traffic; of these
 * comparisons only where both arms have some.
 */
export function gatesIn(plan: RolloutPlan, state: RolloutState): readonly PlannedGate[] {
  const name = actualName(state);
  if (!plan.hasStable || (name !== "stepping" && name !== "baking")) return [];
  const stage = name === "stepping" ? plan.stages[state.stage] : undefined;
  const isShared = stage !== undefined && stage.weight < FULL;
  const ofChange = (plan.gates ?? []).filter(({ question }) => isShared || question.kind === "threshold");
  return [...ofChange, ...(stage?.gates ?? [])];
}

/** An answer as a result; how long it has been so goes on from the result before. */
export function weighGate(
  gate: PlannedGate,
  answer: GateAnswer,
  { before, nowMs }: { before: GateResult | null; nowMs: number },
): GateResult {
  const found = judgeAnswer(gate, answer);
  const isContinued =
    before !== null &&
    before.state === found.state &&
    nowMs - before.atMs <= MISSED_INTERVALS * gate.intervalMs + NO_DATA_GRACE_MS;
  return { name: gate.name, ...found, atMs: nowMs, sinceMs: isContinued ? before.sinceMs : nowMs };
}

function judgeAnswer(
  { question }: PlannedGate,
  answer: GateAnswer,
): Pick<GateResult, "state" | "value" | "reason"> {
  if ("none" in answer) return noData(answer.none);
  const known = answer.values.filter(({ value }) => !Number.isNaN(value));
  if (known.length === 0)
    return noData(answer.values.length === 0 ? "the query found nothing" : "it came to NaN");
  if (question.kind === "comparison")
    return { state: "passed", value: null, reason: "both releases are counted" };
  return judgeThreshold(question, known);
}

function judgeThreshold(
  { min, max }: { min: number | null; max: number | null },
  values: readonly GateValue[],
) {
  const highest = values.reduce((worst, each) => (each.value > worst.value ? each : worst));
  const lowest = values.reduce((worst, each) => (each.value < worst.value ? each : worst));
  if (max !== null && highest.value > max)
    return { state: "broken" as const, value: highest.value, reason: words(highest, `more than ${max}`) };
  if (min !== null && lowest.value < min)
    return { state: "broken" as const, value: lowest.value, reason: words(lowest, `less than ${min}`) };
  const shown = max === null ? lowest : highest;
  const bounds = [max === null ? [] : `at most ${max}`, min === null ? [] : `at least ${min}`].flat();
  return { state: "passed" as const, value: shown.value, reason: words(shown, bounds.join(" and ")) };
}

function words({ labels, value }: GateValue, relation: string): string {
  const number = Number(value.toPrecision(6));
  return `${number}${labels === "" ? "" : ` of ${labels}`}, ${relation}`;
}

function noData(reason: string): Pick<GateResult, "state" | "value" | "reason"> {
  return { state: "no-data", value: null, reason };
}

interface Standing {
  plan: RolloutPlan;
  state: RolloutState;
  results: readonly GateResult[];
  nowMs: number;
}

/** Why a gate demands that the change be undone; null when none does. */
export function gateTrouble({ plan, state, results, nowMs }: Standing): string | null {
  for (const gate of gatesIn(plan, state)) {
    const result = results.find((each) => each.name === gate.name);
    if (!result) continue;
    const lastedMs = nowMs - result.sinceMs;
    if (result.state === "broken" && lastedMs >= gate.forMs)
      return `gate ${gate.name} failed: ${result.reason}${lasting(gate.forMs)}`;
    const graceMs = Math.max(gate.forMs, NO_DATA_GRACE_MS);
    if (result.state === "no-data" && gate.noData === "fail" && lastedMs >= graceMs)
      return `gate ${gate.name} has no data: ${result.reason}${lasting(graceMs)}`;
  }
  return null;
}

function lasting(ms: number): string {
  return ms === 0 ? "" : `, for ${Math.round(ms / 1000)} s`;
}

/** What keeps a stage from being passed; null when every gate was passed in it. */
export function gateObstacle({ plan, state, results }: Omit<Standing, "nowMs">): string | null {
  for (const gate of gatesIn(plan, state)) {
    const result = results.find((each) => each.name === gate.name);
    if (!result || result.atMs < (state.stageStartedAtMs ?? 0))
      return `gate ${gate.name} was not asked in this stage yet`;
    if (result.state === "broken") return `gate ${gate.name} fails: ${result.reason}`;
    if (result.state === "no-data" && gate.noData !== "ignore")
      return `gate ${gate.name} has no data: ${result.reason}`;
  }
  return null;
}

/** What the gates of a position showed, for the timeline; empty when it has none. */
export function gateWords({ plan, state, results }: Omit<Standing, "nowMs">): string {
  const told = gatesIn(plan, state).flatMap(({ name }) => {
    const result = results.find((each) => each.name === name);
    if (!result) return [];
    return result.state === "no-data" ? `gate ${name}: no data` : `gate ${name}: ${result.reason}`;
  });
  return told.join("; ");
}
