import { createLabels, type Labels } from "@mainstay/metrics/model";
import {
  compileRelabelling,
  createTargetSeries,
  type ScrapedBatch,
  type TargetSeries,
} from "@mainstay/metrics/scrape";
import type { AppendOutcome } from "../metrics-store.ts";
import type { ScrapeRequest, ScrapeSink, TargetSpec } from "../scraping/scrape-sink.ts";
import type { Origin } from "../reserved-names.ts";
import type { Intake, Intakes, Refusal } from "./intake.ts";

/**
 * Takes in what targets answer, and remembers their series: a thread that was started anew has forgotten
 * them, so what ended meanwhile is not marked.
 */
export function createScrapeSink({ begin }: Pick<Intakes, "begin">): ScrapeSink {
  const targets = new Map<string, Target>();
  let refs = new WeakMap<Labels, number>();

  function resolve(intake: Intake, series: Labels): number | Refusal {
    const known = refs.get(series);
    if (known !== undefined) return known;
    const found = intake.resolve(series.names.map((name, index) => [name, series.values[index] ?? ""]));
    if (typeof found === "number") refs.set(series, found);
    return found;
  }

  function append(batch: ScrapedBatch, origin: Origin): AppendOutcome {
    const { series, timestampsMs, values, exemplars, metadata } = batch;
    const intake = begin(origin);
    const words = new Uint32Array(values.buffer);
    for (const [index, labels] of series.entries()) {
      const ref = resolve(intake, labels);
      if (typeof ref !== "number") {
        intake.refuse({ what: "sample", reason: ref.reason, count: 1, message: () => ref.message });
        continue;
      }
      intake.addSample(ref, timestampsMs[index] ?? NaN, { words, index });
    }
    for (const { series: labels, ...exemplar } of exemplars) {
      const ref = resolve(intake, labels);
      if (typeof ref === "number") intake.addExemplar({ ref, ...exemplar });
    }
    for (const each of metadata) intake.addMetadata(each);
    const outcome = intake.finish();
    // Series that ended here are found afresh at the next scrape.
    if (outcome.refused.some(({ reason }) => reason === "unknown-series")) refs = new WeakMap();
    return outcome;
  }

  function targetOf({ id, spec }: ScrapeRequest): Target {
    const known = targets.get(id) ?? openTarget(spec);
    targets.set(id, known);
    return known;
  }

  return {
    async takeScrape(request) {
      const { series, origin } = targetOf(request);
      const { batch, error } = series.take(request);
      return { error, refused: append(batch, origin).refused };
    },
    async endTarget({ id, atMs }) {
      const target = targets.get(id);
      targets.delete(id);
      if (target) append(target.series.end(atMs), target.origin);
    },
  };
}

interface Target {
  series: TargetSeries;
  origin: Origin;
}

function openTarget({ labels, relabelRules, origin, ...rules }: TargetSpec): Target {
  const target = createLabels(Object.entries(labels));
  const relabel = compileRelabelling(relabelRules);
  return { series: createTargetSeries({ ...rules, target, relabel }), origin };
}
