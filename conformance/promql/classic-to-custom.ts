import {
  createLabels,
  CUSTOM_BUCKETS_SCHEMA,
  type Histogram,
  type Labels,
  labelValue,
  NO_BUCKETS,
} from "@mainstay/metrics";
import type { WrittenSample } from "@mainstay/metrics/testing";

interface Written {
  labels: Labels;
  samples: readonly WrittenSample[];
}

interface Parts {
  buckets: Map<number, number>;
  count: number | null;
  sum: number;
}

const SUFFIX = /_(bucket|count|sum)$/;

/** Classic histograms as native ones with custom buckets, under the name without its suffix. */
export function toCustomHistograms(
  series: readonly Written[],
): { labels: Labels; samples: WrittenSample[] }[] {
  const families = new Map<string, { labels: Labels; moments: Map<number, Parts> }>();
  for (const { labels, samples } of series) {
    const name = labelValue(labels, "__name__");
    const suffix = SUFFIX.exec(name)?.[1];
    const upper = labelValue(labels, "le");
    if (suffix === undefined || (suffix === "bucket" && upper === "")) continue;
    const base = baseLabels(labels, name.replace(SUFFIX, ""));
    const family = families.get(base.key) ?? { labels: base, moments: new Map<number, Parts>() };
    families.set(base.key, family);
    for (const { timeMs, value } of samples) {
      if (typeof value !== "number") continue;
      const parts = family.moments.get(timeMs) ?? { buckets: new Map(), count: null, sum: 0 };
      family.moments.set(timeMs, parts);
      if (suffix === "bucket") parts.buckets.set(upper === "+Inf" ? Infinity : Number(upper), value);
      else if (suffix === "count") parts.count = value;
      else parts.sum = value;
    }
  }
  return [...families.values()].map(({ labels, moments }) => ({
    labels,
    samples: [...moments].map(([timeMs, parts]) => ({ timeMs, value: toHistogram(parts) })),
  }));
}

function baseLabels({ names, values }: Labels, name: string): Labels {
  const pairs = names.map((label, index): [string, string] => [label, values[index] ?? ""]);
  const kept = pairs.filter(([label]) => label !== "le" && label !== "__name__");
  return createLabels([...kept, ["__name__", name]]);
}

function toHistogram({ buckets, count, sum }: Parts): Histogram {
  const bounds = [...buckets.keys()].filter((bound) => bound !== Infinity).toSorted((a, b) => a - b);
  const total = count ?? buckets.get(Infinity) ?? buckets.get(bounds.at(-1) ?? 0) ?? 0;
  const cumulative = [...bounds.map((bound) => buckets.get(bound) ?? 0), buckets.get(Infinity) ?? total];
  const counts = cumulative.map((value, index) => value - (cumulative[index - 1] ?? 0));
  return {
    schema: CUSTOM_BUCKETS_SCHEMA,
    count: total,
    sum,
    zeroThreshold: 0,
    zeroCount: 0,
    positive: { indexes: Int32Array.from(counts, (_, index) => index), counts: Float64Array.from(counts) },
    negative: NO_BUCKETS,
    customBounds: bounds,
    resetHint: "unknown",
  };
}
