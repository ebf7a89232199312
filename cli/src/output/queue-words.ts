import type { ChangeResource } from "@mainstay/api";
import { awaitedWords } from "./approval-words.ts";
import { ago, table } from "./table.ts";

/**
 * A change that has not begun, and how many stand before it; what waits for approval stands before nobody.
 */
export interface Waiting extends ChangeResource {
  ahead: number;
  /** The change that it waits for first; null when it is about to begin. */
  behind: string | null;
}

/** The changes that wait for their target, first come first served. */
export function waitingOf(active: readonly ChangeResource[]): Waiting[] {
  const inOrder = active.toSorted((one, other) => (one.id < other.id ? -1 : 1));
  return inOrder.flatMap((change, index) => {
    if (change.state !== "requested") return [];
    const before = inOrder
      .slice(0, index)
      .filter((each) => isSameTarget(each, change) && awaitedWords(each) === null);
    return [{ ...change, ahead: before.length, behind: before[0]?.id ?? null }];
  });
}

function isSameTarget(one: ChangeResource, other: ChangeResource): boolean {
  return one.service === other.service && one.environment === other.environment;
}

/** The queue for people; nothing when nobody waits. */
export function queueWords(queue: readonly Waiting[], { nowMs }: { nowMs(): number }): string[] {
  if (queue.length === 0) return [];
  const rows = queue.map((each) => [
    ...[each.id, each.service, each.environment, String(each.ahead), waitsFor(each)],
    ...[each.requestedBy.name, ago(each.createdAt, nowMs())],
  ]);
  const header = ["WAITING", "SERVICE", "ENVIRONMENT", "AHEAD", "WAITS FOR", "BY", "SINCE"];
  return ["", table(header, rows)];
}

function waitsFor(change: Waiting): string {
  const awaited = awaitedWords(change);
  return awaited === null ? (change.behind ?? "–") : `approval by ${awaited}`;
}
