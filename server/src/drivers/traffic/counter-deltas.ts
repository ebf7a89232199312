import { GROUPS, type Arm, type ArmCounters, type Counters } from "@mainstay/api";

/** What happened to one service between two readings of the agent's counters. */
export interface Delta {
  fromMs: number;
  atMs: number;
  change: string | null;
  stable: ArmDelta;
  candidate: ArmDelta;
}

export interface ArmDelta {
  total: number[];
  errors: number[];
  /** [group][bucket] */
  latency: number[][];
}

/** Differences of two readings, by `environment/service`. Empty when the counters began anew in between. */
export function deltasBetween(before: Counters, after: Counters): Map<string, Delta> {
  const deltas = new Map<string, Delta>();
  if (before.bootId !== after.bootId) return deltas;
  const bucketCount = after.latencyBoundsMs.length + 1;
  for (const service of after.services) {
    const earlier = before.services.find((each) => keyOf(each) === keyOf(service));
    const armDelta = (arm: Arm) =>
      subtract(armOf(service.arms, arm), armOf(earlier?.arms ?? [], arm), bucketCount);
    deltas.set(keyOf(service), {
      fromMs: Date.parse(before.at),
      atMs: Date.parse(after.at),
      change: service.change,
      stable: armDelta("stable"),
      candidate: armDelta("candidate"),
    });
  }
  return deltas;
}

export function keyOf(service: { service: string; environment: string }): string {
  return `${service.environment}/${service.service}`;
}

function armOf(arms: ArmCounters[], arm: Arm): ArmCounters | undefined {
  return arms.find((each) => each.arm === arm);
}

/** Another release under the same arm starts from zero. */
function subtract(
  after: ArmCounters | undefined,
  before: ArmCounters | undefined,
  bucketCount: number,
): ArmDelta {
  const groups = Array.from({ length: GROUPS }, (_, group) => group);
  const base = before && after && before.release === after.release ? before : undefined;
  const buckets = Array.from({ length: bucketCount }, (_, bucket) => bucket);
  return {
    total: groups.map((group) => (after?.total[group] ?? 0) - (base?.total[group] ?? 0)),
    errors: groups.map((group) => (after?.errors[group] ?? 0) - (base?.errors[group] ?? 0)),
    latency: groups.map((group) =>
      buckets.map((bucket) => (after?.latency[group]?.[bucket] ?? 0) - (base?.latency[group]?.[bucket] ?? 0)),
    ),
  };
}
