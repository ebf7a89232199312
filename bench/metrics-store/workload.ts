/** What an instance exposes, by kind: how many series of it, and what its values look like. */
export const KINDS = [
  { kind: "counter", count: 33 },
  { kind: "bucket", count: 30 },
  { kind: "float sum", count: 3 },
  { kind: "cpu seconds", count: 10 },
  { kind: "memory gauge", count: 12 },
  { kind: "noisy float", count: 8 },
  { kind: "constant", count: 4 },
] as const;
export type Kind = (typeof KINDS)[number]["kind"];

export const SERIES_PER_INSTANCE = 100;
const SCRAPE_MS = 15_000;
export const START_MS = Date.UTC(2026, 0, 1);

/** One series of the workload and how its values go on. */
export interface WorkloadSeries {
  kind: Kind;
  labels: [string, string][];
  next(): number;
}

/** Numbers from 0 to 1 that are the same in every run (mulberry32). */
export function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The series of one instance. */
export function instanceSeries(instance: number, random: () => number): WorkloadSeries[] {
  const target: [string, string][] = [
    ["instance", `10.0.${instance >> 8}.${instance & 255}:9100`],
    ["job", `service-${instance % 20}`],
    ["zone", `eu-${instance % 3}`],
  ];
  return KINDS.flatMap(({ kind, count }) =>
    Array.from({ length: count }, (_, nth) => ({
      kind,
      labels: [["__name__", nameOf(kind, nth)], ...target, ...moreLabels(kind, nth)] as [string, string][],
      next: GENERATORS[kind](random),
    })),
  );
}

/** When an instance is scraped: every 15 s at a moment of its own, one time in ten up to 5 ms off. */
export function scrapeMs(instance: number, round: number, random: () => number): number {
  const jitterMs = random() < 0.1 ? Math.round(random() * 10 - 5) : 0;
  return START_MS + ((instance * 997) % SCRAPE_MS) + round * SCRAPE_MS + jitterMs;
}

function nameOf(kind: Kind, nth: number): string {
  return kind === "bucket"
    ? "http_request_duration_seconds_bucket"
    : `${kind.replace(" ", "_")}_${nth >> 1}_total`;
}

function moreLabels(kind: Kind, nth: number): [string, string][] {
  if (kind === "bucket") {
    return [
      ["le", String(2 ** (nth % 10) / 1000)],
      ["route", `/api/v1/route-${Math.floor(nth / 10)}`],
    ];
  }
  return [["mode", `mode-${nth & 1}`]];
}

const GENERATORS: Record<Kind, (random: () => number) => () => number> = {
  counter: (random) => growing(random, { start: 1e6, step: () => Math.round(random() * 40) }),
  bucket: (random) =>
    growing(random, { start: 1e5, step: () => (random() < 0.5 ? 0 : Math.round(random() * 6)) }),
  "float sum": (random) => growing(random, { start: 1e4, step: () => random() * 3 }),
  "cpu seconds": (random) => {
    let hundredths = Math.round(random() * 1e7);
    return () => (hundredths += Math.round(random() * 300)) / 100;
  },
  "memory gauge": (random) => {
    let pages = Math.round(random() * 1e6);
    return () => (pages += Math.round((random() - 0.5) * 2000)) * 4096;
  },
  "noisy float": (random) => () => 20 + random() * 5,
  constant: (random) => {
    const value = Math.round(random() * 10);
    return () => value;
  },
};

function growing(random: () => number, { start, step }: { start: number; step: () => number }): () => number {
  let value = Math.round(random() * start);
  return () => (value += step());
}
