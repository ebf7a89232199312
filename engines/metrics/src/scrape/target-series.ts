import { createLabels, METRIC_NAME, type Labels } from "../labels.ts";
import type { Metadata } from "../tsdb/batch.ts";
import { parseOpenMetrics } from "../wire/text/open-metrics.ts";
import { parsePrometheusText } from "../wire/text/prometheus-text.ts";
import { parseSeriesText } from "../wire/text/series-text.ts";
import type { TextMetadata, TextSink } from "../wire/text/sink.ts";
import { TextError } from "../wire/text/text-error.ts";
import { createExemplarMemory } from "./exemplar-memory.ts";
import { labelsOfSample, type LabelRules } from "./sample-labels.ts";
import { createBatchDraft, type BatchDraft, type ScrapedBatch } from "./scraped-batch.ts";
import { ScrapeRefused } from "./scrape-refused.ts";
import { createSeriesCache } from "./series-cache.ts";

export type TextFormat = "prometheus" | "openmetrics";

export interface TargetRules extends LabelRules {
  /** Whether times in the text count. */
  honorTimestamps: boolean;
  /** Samples after relabelling; 0: no limit. */
  sampleLimit: number;
}

/** What came of asking a target once. */
export interface Scrape {
  atMs: number;
  durationMs: number;
  /** The text of the answer, or why there is none. */
  answer: { text: string; format: TextFormat } | { error: string };
}

export interface ScrapeOutcome {
  batch: ScrapedBatch;
  /** Null: the target is up. */
  error: string | null;
}

/** Makes samples of what a target answers, and remembers its series to tell when they end. */
export interface TargetSeries {
  /** The samples of the answer, `up` and the others of the scrape itself, and markers of what ended. */
  take(scrape: Scrape): ScrapeOutcome;
  /** Markers for everything: the target is no more. */
  end(atMs: number): ScrapedBatch;
}

interface Counts {
  scraped: number;
  kept: number;
  added: number;
}

const NOTHING: Counts = { scraped: 0, kept: 0, added: 0 };
/** https://prometheus.io/docs/concepts/jobs_instances/ */
const REPORTED = [
  "up",
  "scrape_duration_seconds",
  "scrape_samples_scraped",
  "scrape_samples_post_metric_relabeling",
  "scrape_series_added",
];

export function createTargetSeries(rules: TargetRules): TargetSeries {
  const cache = createSeriesCache();
  const metadata = createMetadataMemory();
  const exemplars = createExemplarMemory();
  const reported = REPORTED.map((name) => reportLabels(name, rules.target));

  function read(draft: BatchDraft, { text, format }: { text: string; format: TextFormat }, atMs: number) {
    const isLoose = format === "prometheus";
    let [scraped, kept] = [0, 0];
    const sink: TextSink = {
      sample(sample) {
        scraped += 1;
        const series = cache.find(sample.series, () =>
          labelsOfSample(parseSeriesText(sample.series, { isLoose }, sample.line), rules),
        );
        if (series.labels === null) return;
        kept += 1;
        if (rules.sampleLimit > 0 && kept > rules.sampleLimit) {
          throw new ScrapeRefused(`more samples than sample_limit, ${rules.sampleLimit}`);
        }
        const timestampMs = rules.honorTimestamps ? sample.timestampMs : null;
        series.isTracked = timestampMs === null;
        draft.add(series.labels, timestampMs ?? atMs, sample.value);
        exemplars.see(series.labels, sample, atMs);
      },
      metadata: metadata.see,
    };
    (isLoose ? parsePrometheusText : parseOpenMetrics)(text, sink);
    return { scraped, kept, added: cache.added() };
  }

  /** Without counts the target is down. */
  function report(draft: BatchDraft, { atMs, durationMs }: Scrape, counts: Counts | null): void {
    const { scraped, kept, added } = counts ?? NOTHING;
    const values = [counts === null ? 0 : 1, durationMs / 1000, scraped, kept, added];
    for (const [index, labels] of reported.entries()) draft.add(labels, atMs, values[index] ?? 0);
  }

  function finish(draft: BatchDraft, ended: readonly Labels[], atMs: number): ScrapedBatch {
    for (const labels of ended) draft.addMarker(labels);
    return draft.finish(atMs);
  }

  function fail(scrape: Scrape, error: string): ScrapeOutcome {
    const draft = createBatchDraft();
    report(draft, scrape, null);
    return { batch: finish(draft, cache.abandon(), scrape.atMs), error };
  }

  return {
    take(scrape) {
      cache.begin();
      exemplars.begin();
      const { answer, atMs } = scrape;
      if ("error" in answer) return fail(scrape, answer.error);
      const draft = createBatchDraft();
      try {
        report(draft, scrape, read(draft, answer, atMs));
      } catch (error) {
        if (error instanceof TextError || error instanceof ScrapeRefused) return fail(scrape, error.message);
        throw error;
      }
      draft.exemplars.push(...exemplars.news());
      draft.metadata.push(...metadata.news());
      return { batch: finish(draft, cache.commit(), atMs), error: null };
    },
    end: (atMs) => finish(createBatchDraft(), [...cache.abandon(), ...reported], atMs),
  };
}

function reportLabels(name: string, { names, values }: Labels): Labels {
  return createLabels([
    [METRIC_NAME, name],
    ...names.map((each, index) => [each, values[index] ?? ""] as const),
  ]);
}

/** Hands on what is new about metrics, so that nothing is told again with every scrape. */
function createMetadataMemory(): { see: (line: TextMetadata) => void; news: () => Metadata[] } {
  const known = new Map<string, Metadata>();
  const changed = new Set<string>();
  return {
    see({ metric, kind, text }) {
      const before = known.get(metric) ?? { metric, type: "unknown", help: "", unit: "" };
      if (known.has(metric) && before[kind] === text) return;
      known.set(metric, { ...before, [kind]: text });
      changed.add(metric);
    },
    news() {
      const news = [...changed].flatMap((metric) => known.get(metric) ?? []);
      changed.clear();
      return news;
    },
  };
}
