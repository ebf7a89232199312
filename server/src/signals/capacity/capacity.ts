import type { CapacityResource } from "@mainstay/api";
import type { VectorSample } from "@mainstay/metrics";
import { labelValue } from "@mainstay/metrics/model";
import type { MetricsStore } from "../metrics/index.ts";

/** Of the machine that Mainstay runs on, and of those whose node_exporter is scraped. */
const FREE = '{__name__=~"(mainstay_host|node)_filesystem_avail_bytes"}';
const SIZE = '{__name__=~"(mainstay_host|node)_filesystem_size_bytes"}';
const MS_PER_DAY = 86_400_000;
/** What disks do within minutes says nothing about days; half of the shortest window. */
const LEAST_COVERED_MS = 300_000;
/** A line through less of the window is a guess. */
const CERTAIN_SHARE = 0.5;

/**
 * When each disk is full if it goes on as it did in the window: where the straight line through its free
 * bytes (least squares, as `predict_linear` draws it) comes to nothing. Null
 * where it does not shrink, or where samples cover too little to draw a line.
 */
export async function readCapacity(
  store: Pick<MetricsStore, "query">,
  { nowMs, windowMs }: { nowMs: number; windowMs: number },
): Promise<CapacityResource> {
  const window = `${windowMs}ms`;
  const ask = async (query: string) => samplesOf(await store.query({ query, timeMs: nowMs }));
  const [free, size, first, last, line, slope] = await Promise.all([
    ask(FREE),
    ask(SIZE),
    ask(`ts_of_first_over_time(${FREE}[${window}])`),
    ask(`ts_of_last_over_time(${FREE}[${window}])`),
    ask(`predict_linear(${FREE}[${window}], 0)`),
    ask(`deriv(${FREE}[${window}])`),
  ]);
  const [sizes, lines, slopes] = [byDisk(size), byDisk(line), byDisk(slope)];
  const [firsts, lasts] = [byDisk(first), byDisk(last)];
  const disks = [...byDisk(free)].map(([key, { value, place }]) => {
    const coveredMs = Math.round(((lasts.get(key)?.value ?? 0) - (firsts.get(key)?.value ?? 0)) * 1000);
    const perSecond = coveredMs < LEAST_COVERED_MS ? undefined : slopes.get(key)?.value;
    const daysLeft = daysUntilFull(lines.get(key)?.value, perSecond);
    const fullAt = daysLeft === null ? null : new Date(nowMs + daysLeft * MS_PER_DAY).toISOString();
    return {
      ...place,
      ...{ freeBytes: value, sizeBytes: sizes.get(key)?.value ?? null },
      ...{ coveredMs, isUncertain: coveredMs < windowMs * CERTAIN_SHARE },
      ...{ bytesPerDay: perSecond === undefined ? null : perSecond * 86_400, daysLeft, fullAt },
    };
  });
  const soonestFirst = disks.toSorted((a, b) => (a.daysLeft ?? Infinity) - (b.daysLeft ?? Infinity));
  return { windowMs, disks: soonestFirst };
}

/** Beyond this nobody believes a straight line. */
const LONGEST_DAYS = 3_650;

function daysUntilFull(freeBytes: number | undefined, bytesPerSecond: number | undefined): number | null {
  if (freeBytes === undefined || bytesPerSecond === undefined || !(bytesPerSecond < 0)) return null;
  const days = Math.max(0, freeBytes / -bytesPerSecond / 86_400);
  return days > LONGEST_DAYS ? null : days;
}

interface Disk {
  value: number;
  place: { instance: string; mountpoint: string; device: string };
}

function byDisk(samples: readonly VectorSample[]): Map<string, Disk> {
  const found = new Map<string, Disk>();
  for (const { labels, value } of samples) {
    if (typeof value !== "number") continue;
    const [instance, mountpoint, device] = ["instance", "mountpoint", "device"].map((name) =>
      labelValue(labels, name),
    );
    const place = { instance: instance ?? "", mountpoint: mountpoint ?? "", device: device ?? "" };
    found.set(JSON.stringify(place), { value, place });
  }
  return found;
}

function samplesOf({ value }: Awaited<ReturnType<MetricsStore["query"]>>): readonly VectorSample[] {
  return value.type === "vector" ? value.samples : [];
}
