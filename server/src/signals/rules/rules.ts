import type { LongRunning } from "../../kernel/actors.ts";
import type { Clock } from "../../kernel/clock.ts";
import type { Log } from "../../kernel/log.ts";
import type { Metrics } from "../../kernel/metrics.ts";
import type { MetricsStore, RulesView } from "../metrics/index.ts";
import { startGroup, type GroupLoop, type GroupMeter, type GroupPlace } from "./group-loop.ts";
import { viewOfGroup } from "./group-state.ts";
import { reasonOf } from "../../kernel/reason-of.ts";
import { watchFile, type WatchedFile } from "../../kernel/watched-file.ts";

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

type Groups = Map<string, { text: string; loop: GroupLoop }>;

interface RulesFile {
  path: string;
  watched: WatchedFile;
  groups: Groups;
}

const TOLD_PROBLEMS = 5;

/**
 * Evaluates the rules of files, which may change at any time; a file that is broken leaves the old in force.
 */
export function createRules(dependencies: RulesDependencies): Rules {
  const { clock, log, lookMs } = dependencies;
  const meter = createMeter(dependencies.metrics);
  const files = dependencies.files.map(watch);

  function watch(path: string): RulesFile {
    const groups: Groups = new Map();
    const apply = (text: string) => applyTo({ path, groups }, text);
    const every = lookMs === undefined ? {} : { lookMs };
    const what = { file: path, holds: "rules", apply, explain: reasonOf };
    return { path, groups, watched: watchFile({ ...what, ...every, clock, log }) };
  }

  /** Groups that are as they were go on undisturbed. */
  async function applyTo(
    { path: file, groups }: Pick<RulesFile, "path" | "groups">,
    text: string,
  ): Promise<void> {
    // Loaded only where there are rules: nobody else pays for it.
    const { readRuleFile } = await import("@mainstay/metrics/rules");
    const { file: read, problems } = readRuleFile(text);
    if (problems.length > 0) throw new Error(wordsOf(problems));
    const texts = new Map(read.groups.map((group) => [group.name, JSON.stringify(group)]));
    for (const [name, { text: before, loop }] of groups) {
      if (texts.get(name) === before) continue;
      groups.delete(name);
      await loop.stop(true);
    }
    for (const group of read.groups) {
      if (groups.has(group.name)) continue;
      const place: GroupPlace = { group, file, intervalMs: group.intervalMs ?? dependencies.intervalMs };
      const loop = startGroup(place, { ...dependencies, meter });
      groups.set(group.name, { text: texts.get(group.name) ?? "", loop });
    }
    log.info({ file, groups: read.groups.length }, "a file of rules is in force");
  }

  const loops = () => files.flatMap(({ groups }) => [...groups.values()].map(({ loop }) => loop));

  return {
    name: "rules",
    groups: () => loops().map((loop) => viewOfGroup(loop.state())),
    problems: () => [
      ...files.flatMap(({ path, watched }) => {
        const problem = watched.problem();
        if (problem === null) return [];
        return [problemOf(path, `The rules of ${path} are not in force: ${problem}`)];
      }),
      ...loops().flatMap((loop) => failuresOf(loop)),
    ],
    async start() {
      await Promise.all(files.map(({ watched }) => watched.start()));
    },
    async stop() {
      await Promise.all(files.map(({ watched }) => watched.stop()));
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
