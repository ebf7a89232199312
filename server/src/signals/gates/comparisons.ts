import type { Arm } from "@mainstay/api";
import type { GateAnswer, GateQuestion } from "@mainstay/rollout";
import type { Block, ChangeView, Signal } from "../../core/changes/index.ts";
import { askStore, type AskDependencies } from "./ask-store.ts";
import { countBetween, type Counted } from "./arm-counts.ts";
import { variablesOfArm } from "./variables.ts";

type Comparison = Extract<GateQuestion, { kind: "comparison" }>;

/** The judge looks every second; more is kept only for one that was held up. */
const KEPT_BLOCKS = 60;
/** So many comparisons are remembered; the one that was asked least lately is forgotten. */
const KEPT_COMPARISONS = 1000;

interface Course {
  last: Counted | null;
  turn: number;
  blocks: Block[];
}

/** Reads the counters of both arms, and hands what was counted in between to the judge. */
export function createComparisons(dependencies: AskDependencies) {
  const courses = new Map<string, Course>();

  function courseOf(change: string, gate: string): Course {
    const key = `${change} ${gate}`;
    const course = courses.get(key) ?? { last: null, turn: 0, blocks: [] };
    courses.delete(key);
    courses.set(key, course);
    const [oldest] = courses.keys();
    if (courses.size > KEPT_COMPARISONS && oldest !== undefined) courses.delete(oldest);
    return course;
  }

  async function read(change: ChangeView, question: Comparison, atMs: number): Promise<Counted | string> {
    const readArm = async (arm: Arm) => {
      const variables = variablesOfArm(change, arm);
      const one = async (name: "bad" | "total") =>
        countOf(name, arm, await askStore(dependencies, { template: question[name], variables, atMs }));
      return { bad: await one("bad"), total: await one("total") };
    };
    const [stable, candidate] = await Promise.all([readArm("stable"), readArm("candidate")]);
    const problem = [stable.bad, stable.total, candidate.bad, candidate.total].find(
      (each) => typeof each === "string",
    );
    if (typeof problem === "string") return problem;
    return { atMs, reading: { stable: numbersOf(stable), candidate: numbersOf(candidate) } };
  }

  return {
    /** One more reading; the values themselves are the judge's business. */
    async ask(change: ChangeView, gate: string, question: Comparison): Promise<GateAnswer> {
      const now = await read(change, question, dependencies.clock.now().getTime());
      if (typeof now === "string") return { none: now };
      const course = courseOf(change.id, gate);
      const { last } = course;
      if (last === null) course.last = now;
      else {
        const { block, isKept } = countBetween(last, now, course.turn++);
        if (!isKept) course.last = now;
        if (block !== null) course.blocks.push(block);
        if (course.blocks.length > KEPT_BLOCKS) course.blocks.shift();
      }
      return { values: [{ labels: "", value: now.reading.candidate.total }] };
    },
    blocks: (change: string, gate: string, sinceMs: number): Block[] =>
      (courses.get(`${change} ${gate}`)?.blocks ?? []).filter((block) => block.atMs > sinceMs),
  };
}
export type Comparisons = ReturnType<typeof createComparisons>;

function countOf(name: string, arm: Arm, answer: GateAnswer): number | string {
  if ("none" in answer) return answer.none;
  const [first, ...others] = answer.values;
  if (!first) return `${name} of the ${arm} release found nothing`;
  if (others.length > 0)
    return `${name} of the ${arm} release found ${answer.values.length} series: sum them up`;
  return Number.isFinite(first.value) ? first.value : `${name} of the ${arm} release is ${first.value}`;
}

function numbersOf({ bad, total }: { bad: number | string; total: number | string }) {
  return { bad: Number(bad), total: Number(total) };
}

/** A signal that answers for the counts of gates, too. */
export function withComparisons(signal: Signal, comparisons: Pick<Comparisons, "blocks">): Signal {
  return {
    onNews: signal.onNews,
    counts(question) {
      const { change, metric, sinceMs } = question;
      return metric.name === "counts"
        ? Promise.resolve(comparisons.blocks(change.id, metric.gate, sinceMs))
        : signal.counts(question);
    },
  };
}
