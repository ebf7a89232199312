import type { auditResource, ChangeResource, TimelineEntry } from "@mainstay/api";
import type { z } from "zod";
import { watchChange } from "../../cli/src/watch-change.ts";
import type { Product } from "./product.ts";
import { waitUntil } from "./wait-until.ts";

const WATCH_DEADLINE_MS = 90_000;

export type AuditItem = z.infer<typeof auditResource>;

/** Follows a change, over restarts of the server, until it is where it is wanted; throws if it never is. */
export async function watchUntil(
  product: Product,
  id: string,
  isThere: (change: ChangeResource) => boolean,
): Promise<ChangeResource> {
  const signal = AbortSignal.timeout(WATCH_DEADLINE_MS);
  const seen: string[] = [];
  const change = await watchChange(product.api(), {
    id,
    signal,
    isDone: (each) => isThere(each) || each.finishedAt !== null,
    onItem: (item) => void seen.push(`${item.change.state} ${item.change.stage}`),
  }).catch(() => null);
  if (change !== null && isThere(change)) return change;
  const trail = seen.filter((each, index) => each !== seen[index - 1]);
  throw new Error(`${id} did not get where it was expected; it was seen ${trail.join(", ")}`);
}

export async function timelineOf(product: Product, id: string): Promise<TimelineEntry[]> {
  return (await product.api().get<{ items: TimelineEntry[] }>(`/changes/${id}/timeline`)).items;
}

/** The states in the order they were entered; "stepping" with its stage. */
export async function statesOf(product: Product, id: string): Promise<string[]> {
  const timeline = await timelineOf(product, id);
  return timeline.map(({ to, stage }) => (to === "stepping" ? `stepping ${stage}` : to));
}

/** What is wrong with the records of a change: gaps, jumps, acts that were not audited. */
export async function findGaps(product: Product, id: string): Promise<string[]> {
  const timeline = await timelineOf(product, id);
  const gaps = timeline.flatMap((entry, index) => {
    const before = timeline[index - 1]?.to ?? "none";
    return [
      ...(entry.seq === index ? [] : [`entry ${index} has the number ${entry.seq}`]),
      ...(entry.from === before ? [] : [`entry ${index} comes from ${entry.from}, not from ${before}`]),
    ];
  });
  const audit = await auditInOrder(product);
  const acts = audit
    .filter(({ change, action }) => change === id && action.startsWith("changes."))
    .map(({ action }) => action);
  const expected = timeline.map((entry) => `changes.${entry.to}`);
  if (expected.some((action, index) => acts[index] !== action) || acts.length !== expected.length) {
    gaps.push(`audited were ${acts.join(", ")}, expected ${expected.join(", ")}`);
  }
  return [
    ...gaps,
    ...audit.flatMap(({ index }, at) => (index === at + 1 ? [] : [`audit row ${at + 1} is ${index}`])),
  ];
}

/** The whole audit in the order of its index, once the sequencer has numbered every row. */
export async function auditInOrder(product: Product): Promise<AuditItem[]> {
  return waitUntil("every audit row to have its index", async () => {
    const items: AuditItem[] = [];
    for (let cursor: string | null = ""; cursor !== null;) {
      const query: string = cursor === "" ? "limit=200" : `limit=200&cursor=${cursor}`;
      const page = await product.api().get<{ items: AuditItem[]; next: string | null }>(`/audit?${query}`);
      items.push(...page.items);
      cursor = page.next;
    }
    const isNumbered = items.every((each) => each.index !== null);
    return isNumbered && items.toSorted((one, other) => (one.index ?? 0) - (other.index ?? 0));
  });
}
