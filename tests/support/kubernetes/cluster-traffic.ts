import type { ArmTally, Block, Signal } from "../../../server/src/core/changes/index.ts";
import type { Clock } from "../../../server/src/kernel/clock.ts";
import type { Controllers } from "./controllers.ts";
import { nameOf } from "./manifests.ts";

const SECOND_MS = 1000;
const GROUPS = 20;

/**
 * Visitors of the simulated cluster: so many requests a second, shared by the weights that its gateway keeps,
 * and failing as often as the release they reach does. It is also the signal made of them. A real gateway
 * does not know users: what it counts belongs to groups by chance.
 */
export function createClusterTraffic(input: {
  clock: Clock;
  controllers: Controllers;
  requestsPerSecond: number;
  /** The share of requests that a release fails, by the name of its service. */
  faults: Map<string, number>;
}) {
  const { clock, controllers, requestsPerSecond, faults } = input;
  const seconds: { atMs: number; byName: Map<string, ArmTally> }[] = [];
  const listeners = new Set<() => void>();
  const totals = { requests: 0, failed: 0, unanswered: 0 };
  let turn = 0;

  const stop = clock.every(SECOND_MS, () => {
    const backends = controllers.backends();
    const all = backends.reduce((sum, each) => sum + each.weight, 0);
    const byName = new Map<string, ArmTally>();
    for (const { name, weight, hasPods } of backends) {
      const total = Math.round((requestsPerSecond * weight) / all);
      const bad = Math.round(total * (hasPods ? (faults.get(name) ?? 0) : 1));
      byName.set(name, { total: spread(total), bad: spread(bad) });
      totals.requests += total;
      totals.failed += bad;
      if (!hasPods) totals.unanswered += total;
    }
    turn += 1;
    seconds.push({ atMs: clock.now().getTime(), byName });
    for (const listener of listeners) listener();
  });

  /** As evenly as it goes, beginning with another group each time. */
  function spread(count: number): number[] {
    return Array.from({ length: GROUPS }, (_, group) => {
      const place = (group + turn) % GROUPS;
      return Math.floor(count / GROUPS) + (place < count % GROUPS ? 1 : 0);
    });
  }

  const signal: Signal = {
    async counts({ change, metric, sinceMs }) {
      if (metric.name !== "errors") return [];
      const tallyOf = (byName: Map<string, ArmTally>, id: string | null): ArmTally =>
        (id === null ? undefined : byName.get(nameOf({ id, service: change.service }))) ?? {
          total: spread(0),
          bad: spread(0),
        };
      return seconds
        .filter(({ atMs }) => atMs > sinceMs)
        .map(({ atMs, byName }): Block => {
          const stable = tallyOf(byName, change.stable);
          return { fromMs: atMs - SECOND_MS, atMs, stable, candidate: tallyOf(byName, change.candidate) };
        });
    },
    onNews(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  return { signal, totals, stop };
}
