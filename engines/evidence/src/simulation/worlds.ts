import type { Random } from "./random.ts";

/** What happens to both arms alike, at a time. */
export interface Weather {
  errorShare: number;
  /** ln of the factor on every latency. */
  logSlowness: number;
  rateFactor: number;
}

export interface User {
  /** Requests relative to other users. */
  activity: number;
  /** Null: like everybody. */
  errorShare: number | null;
  logSlowness: number;
}

/**
 * Circumstances under which a candidate is rolled out. In every one of them the candidate itself is healthy.
 */
export interface World {
  name: string;
  about: string;
  /** Null: every request comes from somebody new. */
  users: ((random: Random) => User[]) | null;
  /** Mean requests of one page load: same user, same second, all of them fail or none does. */
  burst: number;
  weather: (random: Random, durationMs: number) => (atMs: number) => Weather;
  /** ln of the factor on the candidate's latency, by the time since its first request. */
  coldLogSlowness: (sinceMs: number) => number;
  /** The server restarts this often, and each time starts the stage again. */
  restartEveryMs: number | null;
  /** Each arm's process stands still this often for so long on average, independently of the other's. */
  stalls: { everyMs: number; lengthMs: number } | null;
}

const BASE_ERROR_SHARE = 0.005;
const CALM: Weather = { errorShare: BASE_ERROR_SHARE, logSlowness: 0, rateFactor: 1 };
const STORM: Weather = { errorShare: 0.3, logSlowness: Math.log(3), rateFactor: 1 };
const STORM_MS = 30_000;
const USERS = 1_000;

const INDEPENDENT: World = {
  name: "independent",
  about: "every request by somebody new, 0.5 % errors",
  users: null,
  burst: 1,
  weather: () => () => CALM,
  coldLogSlowness: () => 0,
  restartEveryMs: null,
  stalls: null,
};

const CLUSTERED: World = {
  ...INDEPENDENT,
  name: "clustered",
  about: "1,000 users, some much more active, some often failing; page loads of 3 requests fail together",
  users: population((random) => Math.min(1, (random.gamma(0.05) / 0.05) * BASE_ERROR_SHARE)),
  burst: 3,
};

/** Of every world without slowness. */
export const MEDIAN_LATENCY_MS = 100;

/** A world in which nothing happens: as INDEPENDENT, with other errors and another latency. */
export function steadyWorld(calm: { errorShare: number; medianLatencyMs: number }): World {
  const logSlowness = Math.log(calm.medianLatencyMs / MEDIAN_LATENCY_MS);
  const weather = { errorShare: calm.errorShare, logSlowness, rateFactor: 1 };
  return { ...INDEPENDENT, name: "steady", about: "as it was asked for", weather: () => () => weather };
}

export const WORLDS: readonly World[] = [
  INDEPENDENT,
  CLUSTERED,
  {
    ...INDEPENDENT,
    name: "broken users",
    about: "1,000 users, 0.5 % of them always fail, the others 0.1 %",
    users: population((random) => (random.uniform() < 0.005 ? 1 : 0.001)),
  },
  {
    ...INDEPENDENT,
    name: "shared incident",
    about: "30 % errors and latency × 3 for 30 s, in both arms",
    weather: storm,
  },
  {
    ...INDEPENDENT,
    name: "drift",
    about: "errors 0.2 → 2 %, latency × 1 → × 2, traffic × 0.5 → × 1.5",
    weather: drift,
  },
  {
    ...INDEPENDENT,
    name: "cold cache",
    about: "candidate's latency × 3 at its start, fading over 5 s",
    coldLogSlowness: (sinceMs) => Math.log1p(2 * Math.exp(-sinceMs / 5_000)),
  },
  {
    ...INDEPENDENT,
    name: "stalls",
    about: "each arm's process stands still every 60 s for half a second, on average, by itself",
    stalls: { everyMs: 60_000, lengthMs: 500 },
  },
  {
    ...CLUSTERED,
    name: "restarts",
    about: "as clustered, and the server restarts every 30 s",
    restartEveryMs: 30_000,
  },
];

/** Activity by Pareto's law (exponent 1.2, at most 100 times the least), speed lognormal. */
function population(errorShare: (random: Random) => number): (random: Random) => User[] {
  return (random) =>
    Array.from({ length: USERS }, () => ({
      activity: Math.min((1 - random.uniform()) ** (-1 / 1.2), 100),
      errorShare: errorShare(random),
      logSlowness: 0.5 * random.normal(),
    }));
}

function storm(random: Random, durationMs: number): (atMs: number) => Weather {
  const startMs = random.uniform() * durationMs;
  return (atMs) => (atMs >= startMs && atMs < startMs + STORM_MS ? STORM : CALM);
}

function drift(_: Random, durationMs: number): (atMs: number) => Weather {
  return (atMs) => {
    const part = Math.min(1, atMs / durationMs);
    return { errorShare: 0.002 * 10 ** part, logSlowness: part * Math.log(2), rateFactor: 0.5 + part };
  };
}
