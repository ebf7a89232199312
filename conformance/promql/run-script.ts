import {
  queryInstant,
  queryRange,
  type QueryResult,
  type QuerySettings,
  type ResultValue,
} from "@mainstay/metrics";
import {
  createMemoryStorage,
  type MemoryStorage,
  withResetHints,
  type WrittenSample,
} from "@mainstay/metrics/testing";
import type { CaseResult } from "../suite.ts";
import { toCustomHistograms } from "./classic-to-custom.ts";
import { compareAnnotations, compareValue, matchesMessage, samplesOf } from "./compare.ts";
import { type Command, type EvalCommand, parseScript } from "./script.ts";
import { parseSeries, parseTimeMs, type NotedSeries } from "./series-notation.ts";
import { parseStarts, type NotedStarts } from "./start-notation.ts";
import { atVariants, type Variant } from "./variants.ts";

/** Runs a file; each `eval` is one case. */
export async function runScript(file: string, text: string): Promise<CaseResult[]> {
  const storage = createMemoryStorage();
  const results: CaseResult[] = [];
  for (const command of parseScript(text, parseTimeMs)) {
    if (command.kind === "clear") storage.clear();
    else if (command.kind === "load") load(storage, command);
    else {
      const failure = await runEval(command, storage).catch((error: unknown) => String(error));
      results.push({ name: `${file}:${command.line} ${command.query}`, failure });
    }
  }
  return results;
}

function load(
  storage: MemoryStorage,
  { stepMs, isWithCustom, series }: Extract<Command, { kind: "load" }>,
): void {
  const written = readSeries(series).map(({ labels, values, offsetsMs }) => ({
    labels,
    samples: values.flatMap((noted, index): WrittenSample[] => {
      if (noted === null) return [];
      const [timeMs, offsetMs] = [index * stepMs, offsetsMs[index] ?? null];
      const sample = { timeMs, value: noted.value };
      return [offsetMs === null ? sample : { ...sample, startMs: timeMs + offsetMs }];
    }),
  }));
  const custom = isWithCustom ? toCustomHistograms(written) : [];
  for (const { labels, samples } of [...written, ...custom]) storage.write(labels, withResetHints(samples));
}

/** Series, each with what a line before it says of when its values began. */
function readSeries(lines: readonly string[]): (NotedSeries & Pick<NotedStarts, "offsetsMs">)[] {
  let starts: NotedStarts | null = null;
  const series = [];
  for (const line of lines) {
    const before: NotedStarts | null = starts;
    starts = parseStarts(line);
    if (starts !== null) continue;
    const noted = parseSeries(line);
    const isFitting =
      before === null ||
      (before.labels.key === noted.labels.key && before.offsetsMs.length === noted.values.length);
    if (!isFitting) throw new Error(`the starts before it do not fit: ${line}`);
    series.push({ ...noted, offsetsMs: before?.offsetsMs ?? [] });
  }
  return series;
}

function settingsFor(storage: MemoryStorage): QuerySettings {
  const limits = { maxSamples: 10_000_000, maxBytes: Infinity, timeoutMs: 60_000, nowMs: () => 0 };
  return { storage, limits };
}

type Outcome = { result: QueryResult } | { error: Error };

async function attempt(ask: () => Promise<QueryResult>): Promise<Outcome> {
  try {
    return { result: await ask() };
  } catch (error) {
    return { error: error instanceof Error ? error : new Error(String(error)) };
  }
}

/** What is wrong, in the first of the ways in which the original asks. */
async function runEval(command: EvalCommand, storage: MemoryStorage): Promise<string | null> {
  const settings = settingsFor(storage);
  const { range, query, timeMs } = command;
  if (range !== null) return judge(command, await attempt(() => queryRange(query, range, settings)));
  const failure = await runInstant(command, { query, timeMs }, settings);
  if (failure !== null || command.expectedRange !== null || command.expectedString !== null) return failure;
  for (const variant of isParsed(query) ? atVariants(query, timeMs) : []) {
    const found = await runInstant(command, variant, settings);
    if (found !== null) return `asked as "${variant.query}" at ${variant.timeMs}: ${found}`;
  }
  return null;
}

function isParsed(query: string): boolean {
  try {
    atVariants(query, 0);
    return true;
  } catch {
    return false;
  }
}

function judge(command: EvalCommand, outcome: Outcome): string | null {
  const fails = command.expectations.filter(({ type }) => type === "fail");
  if ("error" in outcome) {
    if (fails.length === 0) return outcome.error.message;
    const { message } = outcome.error;
    return fails.every((each) => matchesMessage(each, message))
      ? null
      : `expected to fail with "${fails[0]?.text}", got: ${message}`;
  }
  if (fails.length > 0) return "expected to fail, but was answered";
  return compareAnnotations(command, outcome.result) ?? compareValue(command, outcome.result.value);
}

const OF_THE_QUERY = /\b(?:range|step|start|end)\s*\(\s*\)/;

async function runInstant(
  command: EvalCommand,
  { query, timeMs }: Variant,
  settings: QuerySettings,
): Promise<string | null> {
  const outcome = await attempt(() => queryInstant(query, timeMs, settings));
  const failure = judge(command, outcome);
  const { expectedRange, expectedString, isOrdered } = command;
  if (failure !== null || "error" in outcome || expectedRange !== null || expectedString !== null)
    return failure;
  if (isOrdered || OF_THE_QUERY.test(query)) return null;
  const range = { startMs: timeMs - 60_000, endMs: timeMs + 60_000, stepMs: 60_000 };
  const ranged = await attempt(() => queryRange(query, range, settings));
  if ("error" in ranged) return `in a range: ${ranged.error.message}`;
  const middle = middleOf(ranged.result.value, outcome.result.value.type, timeMs);
  const found = compareValue(command, middle);
  return found === null ? null : `in a range: ${found}`;
}

/** The middle step of a range, as the answer to an instant query. */
function middleOf(value: ResultValue, type: ResultValue["type"], timeMs: number): ResultValue {
  if (value.type !== "matrix") return value;
  const samples = value.series.flatMap((series) =>
    samplesOf(series)
      .filter(([at]) => at === timeMs)
      .map(([, sample]) => ({ labels: series.labels, value: sample })),
  );
  const [first] = samples;
  if (type !== "scalar") return { type: "vector", timeMs, samples };
  return { type, timeMs, value: typeof first?.value === "number" ? first.value : NaN };
}
