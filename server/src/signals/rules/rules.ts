import { readFile } from "node:fs/promises";
import type { LongRunning } from "../../kernel/actors.ts";
import type { Clock } from "../../kernel/clock.ts";
import type { Log } from "../../kernel/log.ts";
import type { Metrics } from "../../kernel/metrics.ts";
import type { MetricsStore, RulesView } from "../metrics/index.ts";
import { startGroup, type GroupLoop, type GroupMeter, type GroupPlace } from "./group-loop.ts";
import { viewOfGroup } from "./group-state.ts";

export interface RulesDependencies {
  store: Pick<MetricsStore, "query" | "append">;
  clock: Clock;
  log: Log;
  metrics: Metrics;
  /** Absolute paths. */
  files: readonly string[];
  /** Of groups that name none. */
  intervalMs: number;
  /** How soon a file that was changed is read. */
  lookMs?: number;
}

/** As the room of problems takes it. */
export interface RulesProblem {
  kind: "rules-failing";
  /** A file, or a group of one. */
  subject: string;
  summary: string;
}

export interface Rules extends LongRunning, RulesView {
  /** Files that are not in force as they are now, and rules that cannot be evaluated. */
  problems(): readonly RulesProblem[];
}

interface FileInForce {
  text: string | null;
  /** As it was at the last look: one that is just being written is not taken in. */
  seen: string | null;
  problem: string | null;
  groups: Map<string, { text: string; loop: GroupLoop }>;
}

const LOOK_MS = 5_000;
const TOLD_PROBLEMS = 5;

/**
 * Evaluates the rules of files, which may change at any time; a file that is broken leaves the old in force.
 */
export function createRules(dependencies: RulesDependencies): Rules {
  const { clock, log, files, lookMs = LOOK_MS } = dependencies;
  const meter = createMeter(dependencies.metrics);
  const inForce = new Map<string, FileInForce>(
    files.map((file) => [file, { text: null, seen: null, problem: null, groups: new Map() }]),
  );
  let stopLooking = () => {};
  let looking: Promise<unknown> = Promise.resolve();

  async function look(file: string, known: FileInForce): Promise<void> {
    try {
      const text = await readFile(file, "utf8");
      const isSettled = known.text === null || text === known.seen;
      known.seen = text;
      if (!isSettled) return;
      if (text !== known.text) await apply(file, known, text);
      known.text = text;
      known.problem = null;
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error);
      if (problem !== known.problem) log.warn({ file, problem }, "a file of rules is not in force");
      known.problem = problem;
    }
  }

  /** Groups that are as they were go on undisturbed. */
  async function apply(file: string, known: FileInForce, text: string): Promise<void> {
    // Loaded only where there are rules: nobody else pays for it.
    const { readRuleFile } = await import("@mainstay/metrics/rules");
    const { file: read, problems } = readRuleFile(text);
    if (problems.length > 0) throw new Error(wordsOf(problems));
    const texts = new Map(read.groups.map((group) => [group.name, JSON.stringify(group)]));
    for (const [name, { text: before, loop }] of known.groups) {
      if (texts.get(name) === before) continue;
      known.groups.delete(name);
      await loop.stop(true);
    }
    for (const group of read.groups) {
      if (known.groups.has(group.name)) continue;
      const place: GroupPlace = { group, file, intervalMs: group.intervalMs ?? dependencies.intervalMs };
      const loop = startGroup(place, { ...dependencies, meter });
      known.groups.set(group.name, { text: texts.get(group.name) ?? "", loop });
    }
    log.info({ file, groups: read.groups.length }, "a file of rules is in force");
  }

  const lookAtAll = () => (looking = Promise.all([...inForce].map(([file, known]) => look(file, known))));
  const loops = () =>
    [...inForce.values()].flatMap(({ groups }) => [...groups.values()].map(({ loop }) => loop));

  return {
    name: "rules",
    groups: () => loops().map((loop) => viewOfGroup(loop.state())),
    problems: () => [
      ...[...inForce].flatMap(([file, { problem }]) =>
        problem === null ? [] : [problemOf(file, `The rules of ${file} are not in force: ${problem}`)],
      ),
      ...loops().flatMap((loop) => failuresOf(loop)),
    ],
    async start() {
      if (files.length === 0) return;
      await lookAtAll();
      stopLooking = clock.every(lookMs, async () => void (await lookAtAll()));
    },
    async stop() {
      stopLooking();
      await looking;
      await Promise.all(loops().map((loop) => loop.stop(false)));
    },
  };
}

function failuresOf(loop: GroupLoop): RulesProblem[] {
  const { group, runs } = loop.state();
  const index = runs.findIndex(({ health }) => health === "err");
  const rule = group.rules[index];
  if (!rule) return [];
  return [
    problemOf(group.name, `The rule ${rule.name} of ${group.name} fails: ${runs[index]?.lastError ?? ""}`),
  ];
}

function problemOf(subject: string, summary: string): RulesProblem {
  return { kind: "rules-failing", subject, summary };
}

function wordsOf(problems: readonly { line: number; column: number; message: string }[]): string {
  const told = problems.slice(0, TOLD_PROBLEMS).map((each) => `${each.line}:${each.column}: ${each.message}`);
  const more = problems.length - told.length;
  return [...told, ...(more > 0 ? [`and ${more} more`] : [])].join("; ");
}

function createMeter(metrics: Metrics): GroupMeter {
  const labels = ["group"] as const;
  const counter = (name: string, help: string) =>
    metrics.counter({ name: `mainstay_rules_${name}_total`, help, labels });
  const iterations = counter("iterations", "Evaluations of groups of rules.");
  const failures = counter("failures", "Rules that could not be evaluated.");
  const missed = counter("iterations_missed", "Evaluations that did not take place in time.");
  const refused = counter("refused_samples", "Samples of rules that the store did not take.");
  const duration = metrics.gauge({
    ...{
      name: "mainstay_rules_last_duration_seconds",
      help: "How long the last evaluation of a group took.",
    },
    labels,
  });
  return {
    evaluated(group, durationMs) {
      iterations.add({ group });
      duration.set({ group }, durationMs / 1000);
    },
    failed: (group) => failures.add({ group }),
    missed: (group, count) => missed.add({ group }, count),
    refused: (group, count) => refused.add({ group }, count),
  };
}
