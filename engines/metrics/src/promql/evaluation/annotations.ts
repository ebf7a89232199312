import type { Position } from "../syntax/ast.ts";
import { lineAndColumn } from "../syntax/parse-error.ts";
import { formatNumber } from "../numbers.ts";

/** What a query tells beside its result: warnings about what may be wrong, and infos. */
export interface Annotations {
  warn(message: string, position: Position): void;
  inform(message: string, position: Position): void;
  /**
   * Buckets of a classic histogram that had to be made monotonic; told once for all the times it happened.
   */
  forcedMonotonicity(name: string, position: Position, forced: Forced): void;
  texts(): { warnings: string[]; infos: string[] };
}

export interface Forced {
  atMs: number;
  minBucket: number;
  maxBucket: number;
  maxDiff: number;
}

interface ForcedTotal {
  firstMs: number;
  lastMs: number;
  minBucket: number;
  maxBucket: number;
  maxDiff: number;
  samples: number;
}

const MONOTONICITY =
  "input to histogram_quantile needed to be fixed for monotonicity " +
  "(see https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile)";

/** Each message is told once for each place of the query. */
export function createAnnotations(query: string): Annotations {
  const warnings = new Set<string>();
  const infos = new Set<string>();
  const forced = new Map<string, ForcedTotal>();
  const at = (position: Position) => `(${lineAndColumn(query, position.start)})`;
  return {
    warn: (message, position) => void warnings.add(`PromQL warning: ${message} ${at(position)}`),
    inform: (message, position) => void infos.add(`PromQL info: ${message} ${at(position)}`),
    forcedMonotonicity(name, position, { atMs, ...found }) {
      const key = JSON.stringify([name, at(position)]);
      const before = forced.get(key);
      forced.set(key, {
        firstMs: Math.min(before?.firstMs ?? atMs, atMs),
        lastMs: Math.max(before?.lastMs ?? atMs, atMs),
        minBucket: Math.min(before?.minBucket ?? found.minBucket, found.minBucket),
        maxBucket: Math.max(before?.maxBucket ?? found.maxBucket, found.maxBucket),
        maxDiff: Math.max(before?.maxDiff ?? found.maxDiff, found.maxDiff),
        samples: (before?.samples ?? 0) + 1,
      });
    },
    texts() {
      const monotonicity = [...forced].map(([key, total]) => {
        const [name = "", place = ""]: string[] = JSON.parse(key);
        return `PromQL info: ${MONOTONICITY}${named(name)}, ${describe(total)} ${place}`;
      });
      return { warnings: [...warnings], infos: [...infos, ...monotonicity] };
    },
  };
}

function describe({ minBucket, maxBucket, maxDiff, samples, firstMs, lastMs }: ForcedTotal): string {
  const from = `from buckets ${formatNumber(minBucket)} to ${formatNumber(maxBucket)}`;
  const diff = formatNumber(Number(maxDiff.toPrecision(2)));
  return `${from}, with a max diff of ${diff}, over ${samples} samples from ${iso(firstMs)} to ${iso(lastMs)}`;
}

function iso(timeMs: number): string {
  const time = new Date(timeMs);
  return Number.isNaN(time.getTime()) ? String(timeMs) : time.toISOString().replace(".000Z", "Z");
}

/** The clause that names a metric, nothing when it has no name. */
export function named(name: string): string {
  return name === "" ? "" : ` for metric name ${JSON.stringify(name)}`;
}
