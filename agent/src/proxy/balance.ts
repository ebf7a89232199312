import type { RoutedArm } from "./routing-table.ts";
import type { Upstream } from "./upstream.ts";

/**
 * The instance of an arm that gets the next request; null when none is left to try. Instances that were
 * ejected are passed over, unless all are: a wrong suspicion must not take a service down.
 */
export function chooseUpstream(arm: RoutedArm, tried: readonly Upstream[], nowMs: number): Upstream | null {
  const { upstreams } = arm;
  const [only] = upstreams;
  if (upstreams.length === 1 && only) return isLeft(only, tried) ? only : null;
  const choose = arm.balance === "least-connections" ? chooseIdlest : chooseInTurn;
  const isSound = (each: Upstream) => isLeft(each, tried) && each.ejection.untilMs <= nowMs;
  return choose(arm, isSound) ?? choose(arm, (each) => isLeft(each, tried));
}

function isLeft(upstream: Upstream, tried: readonly Upstream[]): boolean {
  return upstream.state === "routed" && !tried.includes(upstream);
}

/**
 * Smooth weighted round robin: each gets its weight as credit, the richest pays for all. Weights 3 and 1
 * give a a b a, never a a a b; equal weights give plain turns.
 */
function chooseInTurn({ upstreams }: RoutedArm, isEligible: (each: Upstream) => boolean): Upstream | null {
  let chosen: Upstream | null = null;
  let paid = 0;
  for (const each of upstreams) {
    if (!isEligible(each)) continue;
    each.credit += each.weight;
    paid += each.weight;
    if (!chosen || each.credit > chosen.credit) chosen = each;
  }
  if (chosen) chosen.credit -= paid;
  return chosen;
}

/** The one with the fewest requests for its weight; among equals they take turns. */
function chooseIdlest(arm: RoutedArm, isEligible: (each: Upstream) => boolean): Upstream | null {
  const { upstreams } = arm;
  let chosen: Upstream | null = null;
  for (let step = 0; step < upstreams.length; step += 1) {
    const each = upstreams[(arm.next + step) % upstreams.length];
    if (!each || !isEligible(each)) continue;
    if (!chosen || each.inflight * chosen.weight < chosen.inflight * each.weight) chosen = each;
  }
  arm.next = (arm.next + 1) % Math.max(1, upstreams.length);
  return chosen;
}
