import type { BenchTable } from "../bench.ts";

/** One proxy under load for one round. */
export interface Measurement {
  name: string;
  round: number;
  cpuMicroseconds: number;
  requestsPerSecond: number;
  failures: number;
  memoryBytes: number | null;
}

/** To whom the others are compared. */
const REFERENCE = "HAProxy";

/** Medians over the rounds; a ratio is taken within a round, where both met the same disturbances. */
export function summarize(measurements: Measurement[], how: { rounds: number; seconds: number }): BenchTable {
  const names = [...new Set(measurements.map((each) => each.name))];
  return {
    title: "Proxies: processor time for each request",
    columns: [
      "proxy",
      "CPU µs/request",
      "range",
      "× HAProxy",
      "range",
      "requests/s",
      "memory MB",
      "failures",
    ],
    rows: names.map((name) => summarizeOne(name, measurements)),
    notes: [
      `${how.rounds} interleaved rounds of ${how.seconds} s: wrk -t1 -c50, keep-alive, 1 KiB answers, loopback only.`,
      "CPU is user and system time of all processes of the proxy; one worker or thread each, Caddy as it comes.",
      "Medians of the rounds; the machine is shared with load generator and backend, so requests/s is no capacity.",
      '"Not counted": the same configuration of HAProxy without what tells the judge of each request.',
      '"Two arms" is during a change: every request carries a user\'s signed id and is assigned by its hash.',
    ],
  };
}

function summarizeOne(name: string, all: Measurement[]): (string | number)[] {
  const own = all.filter((each) => each.name === name);
  const cpu = own.map((each) => each.cpuMicroseconds);
  const ratios = own.flatMap((each) => {
    const reference = all.find((other) => other.round === each.round && other.name === REFERENCE);
    return reference ? [each.cpuMicroseconds / reference.cpuMicroseconds] : [];
  });
  const memory = median(own.flatMap((each) => (each.memoryBytes === null ? [] : [each.memoryBytes / 1e6])));
  return [
    name,
    median(cpu).toFixed(1),
    rangeOf(cpu, 1),
    median(ratios).toFixed(2),
    rangeOf(ratios, 2),
    median(own.map((each) => each.requestsPerSecond)).toFixed(0),
    Number.isNaN(memory) ? "–" : memory.toFixed(0),
    own.reduce((sum, each) => sum + each.failures, 0),
  ];
}

/** The middle value, or the mean of the two in the middle; NaN of nothing. */
export function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const low = sorted[Math.floor((sorted.length - 1) / 2)] ?? NaN;
  const high = sorted[Math.floor(sorted.length / 2)] ?? NaN;
  return (low + high) / 2;
}

function rangeOf(values: number[], digits: number): string {
  return `${Math.min(...values).toFixed(digits)}–${Math.max(...values).toFixed(digits)}`;
}
