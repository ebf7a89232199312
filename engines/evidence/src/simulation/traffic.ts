import { GROUPS, type ArmTally, type Sample } from "../sample.ts";
import { createSlownessBound, SLOWNESS, type SlownessBound } from "../slowness-bound.ts";
import type { Random } from "./random.ts";
import { MEDIAN_LATENCY_MS, type User, type World } from "./worlds.ts";

/** What is wrong with the candidate, from when on. */
export interface Regression {
  errorFactor: number;
  latencyFactor: number;
  fromMs: number;
}

export const HEALTHY: Regression = { errorFactor: 1, latencyFactor: 1, fromMs: 0 };

export interface TrafficOptions {
  world: World;
  ratePerSecond: number;
  durationMs: number;
  regression: Regression;
}

/** One second of requests. Its samples are reused by the next one. */
export interface Second {
  requests: number;
  errors: Sample;
  latency: Sample;
  typicalLatency: Sample;
  /** False until the stable release has shown what is slow. */
  hasBound: boolean;
}

export type Traffic = (atMs: number, weight: number) => Second;

const SECOND_MS = 1_000;
const STALL_LOG_SLOWNESS = Math.log(20);
const LATENCY_SIGMA = 0.6;
/** Latency histogram as a proxy keeps it: log-spaced bounds from 0.5 ms to 60 s. */
const BOUND_RATIO = 1.22;
const FIRST_BOUND_MS = 0.5;
const BOUNDS_MS = Array.from({ length: 60 }, (_, index) => FIRST_BOUND_MS * BOUND_RATIO ** index);
const LOG_RATIO = Math.log(BOUND_RATIO);
const LOG_MEDIAN = Math.log(MEDIAN_LATENCY_MS / FIRST_BOUND_MS);

/** Makes the requests of one second after the other, as page loads of one user each. */
export function createTraffic(options: TrafficOptions, random: Random): Traffic {
  const { world, ratePerSecond, durationMs, regression } = options;
  const weather = world.weather(random, durationMs);
  const visit = createVisits(world.users?.(random) ?? null, random);
  const counter = createCounter();
  const stalls = { stable: createStalls(world, random), candidate: createStalls(world, random) };
  let candidateSinceMs: number | null = null;
  return (atMs, weight) => {
    const { errorShare, logSlowness, rateFactor } = weather(atMs);
    const present = atMs >= regression.fromMs ? regression : HEALTHY;
    counter.begin(atMs);
    for (let loads = random.poisson((ratePerSecond * rateFactor) / world.burst); loads > 0; loads -= 1) {
      const user = visit();
      const isCandidate = user.bucket < weight;
      let logMedian = LOG_MEDIAN + logSlowness + user.logSlowness;
      let failing = user.errorShare ?? errorShare;
      if (isCandidate) {
        candidateSinceMs ??= atMs;
        failing *= present.errorFactor;
        logMedian += Math.log(present.latencyFactor) + world.coldLogSlowness(atMs - candidateSinceMs);
      }
      const load = { isCandidate, group: user.group, isBad: random.uniform() < failing };
      logMedian += stalls[isCandidate ? "candidate" : "stable"](atMs + random.uniform() * SECOND_MS);
      do counter.count(load, bucketOf(logMedian + LATENCY_SIGMA * random.normal()));
      while (world.burst > 1 && random.uniform() * world.burst >= 1);
    }
    return counter.end();
  };
}

/** ln of the factor on the latency of one process at a time: now and then it stands still for a moment. */
function createStalls({ stalls }: World, random: Random): (atMs: number) => number {
  if (stalls === null) return () => 0;
  const { everyMs, lengthMs } = stalls;
  let startMs = -Math.log(1 - random.uniform()) * everyMs;
  let endMs = startMs + 2 * random.uniform() * lengthMs;
  return (atMs) => {
    while (atMs >= endMs + SECOND_MS) {
      startMs = endMs - Math.log(1 - random.uniform()) * everyMs;
      endMs = startMs + 2 * random.uniform() * lengthMs;
    }
    return atMs >= startMs && atMs < endMs ? STALL_LOG_SLOWNESS : 0;
  };
}

function bucketOf(logLatency: number): number {
  return Math.min(Math.max(Math.ceil(logLatency / LOG_RATIO), 0), BOUNDS_MS.length);
}

interface Visitor {
  bucket: number;
  group: number;
  errorShare: number | null;
  logSlowness: number;
}

/** Who comes next: somebody new every time, or a user by activity. Bucket and group stay with a user. */
function createVisits(users: User[] | null, random: Random): () => Visitor {
  const newcomer = { bucket: 0, group: 0, errorShare: null, logSlowness: 0 };
  const place = <T extends Visitor>(visitor: T): T => {
    visitor.bucket = random.uniform();
    visitor.group = Math.floor(random.uniform() * GROUPS);
    return visitor;
  };
  if (users === null) return () => place(newcomer);
  const visitors = users.map((user) => place({ ...newcomer, ...user }));
  const pick = createPicker(users.map((user) => user.activity));
  return () => visitors[pick(random.uniform())] ?? newcomer;
}

/** Draws an index in proportion to its weight, in constant time (Walker's alias method). */
function createPicker(weights: number[]): (uniform: number) => number {
  const sum = weights.reduce((total, weight) => total + weight, 0);
  const scaled = weights.map((weight) => (weight * weights.length) / sum);
  const alias = weights.map((_, index) => index);
  const small = alias.filter((index) => (scaled[index] ?? 0) < 1);
  const large = alias.filter((index) => (scaled[index] ?? 0) >= 1);
  while (small.length > 0 && large.length > 0) {
    const poor = small.pop() ?? 0;
    const rich = large.pop() ?? 0;
    alias[poor] = rich;
    scaled[rich] = (scaled[rich] ?? 0) + (scaled[poor] ?? 0) - 1;
    ((scaled[rich] ?? 0) < 1 ? small : large).push(rich);
  }
  return (uniform) => {
    const position = uniform * weights.length;
    const index = Math.floor(position);
    return position - index < (scaled[index] ?? 1) ? index : (alias[index] ?? index);
  };
}

interface Load {
  isCandidate: boolean;
  group: number;
  isBad: boolean;
}

/**
 * Counts as the platform does: slow is what exceeds the
 * bound learnt from the stable release in earlier seconds.
 */
function createCounter() {
  const tail: SlownessBound = createSlownessBound({ boundsMs: BOUNDS_MS, ...SLOWNESS.latency });
  const middle: SlownessBound = createSlownessBound({ boundsMs: BOUNDS_MS, ...SLOWNESS["typical-latency"] });
  const histogram = Array<number>(BOUNDS_MS.length + 1).fill(0);
  const second: Second = {
    requests: 0,
    errors: emptySample("errors"),
    latency: emptySample("latency"),
    typicalLatency: emptySample("typical-latency"),
    hasBound: false,
  };
  let tailBound = Infinity;
  let middleBound = Infinity;
  let stableRequests = 0;
  return {
    begin(atMs: number) {
      const samples = [second.errors, second.latency, second.typicalLatency];
      if (second.requests > 0) samples.forEach(clear);
      for (const sample of samples) sample.atMs = atMs;
      second.requests = stableRequests = 0;
      second.hasBound = tail.bound() !== null;
      tailBound = tail.bound() ?? Infinity;
      middleBound = middle.bound() ?? Infinity;
    },
    count({ isCandidate, group, isBad }: Load, bucket: number) {
      second.requests += 1;
      const arm = isCandidate ? "candidate" : "stable";
      countIn(second.errors[arm], group, isBad);
      countIn(second.latency[arm], group, bucket > tailBound);
      countIn(second.typicalLatency[arm], group, bucket > middleBound);
      if (isCandidate) return;
      stableRequests += 1;
      histogram[bucket]! += 1;
    },
    end(): Second {
      if (stableRequests === 0) return second;
      for (const bound of [tail, middle]) bound.observe(histogram, second.errors.atMs);
      histogram.fill(0);
      return second;
    },
  };
}

function countIn(arm: ArmTally, group: number, isBad: boolean): void {
  arm.total[group]! += 1;
  if (isBad) arm.bad[group]! += 1;
}

function emptySample(metric: string): Sample {
  const arm = () => ({ total: Array<number>(GROUPS).fill(0), bad: Array<number>(GROUPS).fill(0) });
  return { atMs: 0, metric, stable: arm(), candidate: arm() };
}

function clear({ stable, candidate }: Sample): void {
  for (const counts of [stable.total, stable.bad, candidate.total, candidate.bad]) counts.fill(0);
}
