import type { Labels } from "@mainstay/metrics/model";
import type { RuleGroup } from "@mainstay/metrics/rules";
import type { Clock } from "../../kernel/clock.ts";
import { nextTurnMs, offsetOf } from "../../kernel/schedule.ts";
import { endSeries, evaluateRule, type EvaluationDependencies } from "./evaluate-rule.ts";
import { NEVER_RUN, type GroupState, type RuleRun } from "./group-state.ts";
import { reasonOf } from "../../kernel/reason-of.ts";

export interface GroupMeter {
  evaluated(group: string, durationMs: number): void;
  failed(group: string): void;
  /** Iterations that did not take place because the one before took too long, or the server stood still. */
  missed(group: string, count: number): void;
  refused(group: string, count: number): void;
}

export interface GroupLoopDependencies extends EvaluationDependencies {
  clock: Clock;
  meter: GroupMeter;
}

export interface GroupLoop {
  state(): GroupState;
  /** Resolves once nothing of it is under way; with `isGone` the series of its rules end. */
  stop(isGone: boolean): Promise<void>;
}

export interface GroupPlace {
  group: RuleGroup;
  file: string;
  intervalMs: number;
}

/**
 * Evaluates a group on its interval, its rules one after the other, so that one may build on what those above
 * it recorded. Times are whole intervals since 1970 plus an offset that is the group's own, as in Prometheus.
 */
export function startGroup(place: GroupPlace, dependencies: GroupLoopDependencies): GroupLoop {
  const { clock, meter } = dependencies;
  const { group, file, intervalMs } = place;
  const stopped = new AbortController();
  const offsetMs = offsetOf(`${file};${group.name}`, intervalMs);
  let state: GroupState = {
    ...{ group, file, intervalMs, lastEvaluationMs: null, evaluationMs: 0 },
    runs: group.rules.map(() => NEVER_RUN),
  };
  let series: ReadonlyMap<string, Labels>[] = group.rules.map(() => new Map());

  async function iterate(dueMs: number): Promise<void> {
    const began = clock.monotonicMs();
    const atMs = dueMs - (group.queryOffsetMs ?? 0);
    for (const index of group.rules.keys()) {
      if (stopped.signal.aborted) return;
      const run = await runRule(index, atMs, dueMs);
      state = { ...state, runs: state.runs.with(index, run) };
    }
    const evaluationMs = clock.monotonicMs() - began;
    state = { ...state, lastEvaluationMs: dueMs, evaluationMs };
    meter.evaluated(group.name, evaluationMs);
  }

  async function runRule(index: number, atMs: number, lastEvaluationMs: number): Promise<RuleRun> {
    const rule = group.rules[index];
    if (rule?.kind !== "recording") return NEVER_RUN;
    const began = clock.monotonicMs();
    const ended = (health: RuleRun["health"], lastError: string | null): RuleRun => {
      return { health, lastError, lastEvaluationMs, evaluationMs: clock.monotonicMs() - began };
    };
    try {
      const before = series[index] ?? new Map();
      const outcome = await evaluateRule(dependencies, { rule, limit: group.limit, atMs, before });
      series = series.with(index, outcome.series);
      if (outcome.refused === 0) return ended("ok", null);
      meter.refused(group.name, outcome.refused);
      return ended("err", `${outcome.refused} samples were refused, such as: ${outcome.message}`);
    } catch (error) {
      meter.failed(group.name);
      return ended("err", reasonOf(error));
    }
  }

  async function live(): Promise<void> {
    let dueMs = nextTurnMs(clock.now().getTime(), intervalMs, offsetMs);
    while (!stopped.signal.aborted) {
      const restMs = dueMs - clock.now().getTime();
      if (restMs > 0) await clock.sleep(restMs, stopped.signal).catch(() => {});
      if (stopped.signal.aborted) return;
      await iterate(dueMs);
      const following = nextTurnMs(Math.max(clock.now().getTime(), dueMs), intervalMs, offsetMs);
      const missed = Math.round((following - dueMs) / intervalMs) - 1;
      if (missed > 0) meter.missed(group.name, missed);
      dueMs = following;
    }
  }

  const living = live();
  return {
    state: () => state,
    async stop(isGone) {
      stopped.abort();
      await living;
      if (!isGone) return;
      const left = series.flatMap((each) => [...each.values()]);
      // A store that is away has other worries; the series end five minutes later by themselves.
      await endSeries(dependencies, left, clock.now().getTime()).catch(() => {});
    },
  };
}
