import { AppError } from "@mainstay/api";

/** How many instances of each process. */
export type Counts = Record<string, number>;

const INSTANCES_MAX = 100;

/** "web=4,worker=0" → numbers by process. Throws REQUEST_INVALID. */
export function parseCounts(text: string): Counts {
  const pairs = text.split(",").map((part) => {
    const match = /^([a-z][a-z0-9-]*)=(\d{1,3})$/.exec(part);
    const count = Number(match?.[2]);
    if (match && count <= INSTANCES_MAX) return [match[1] ?? "", count] as const;
    const message = `expected numbers from 0 to ${INSTANCES_MAX} by process, such as "web=4,worker=0"`;
    throw new AppError("REQUEST_INVALID", {}, { errors: [{ path: "body.candidate", message }] });
  });
  return Object.fromEntries(pairs);
}

/** The same text whatever the order was. */
export function formatCounts(counts: Counts): string {
  const parts = Object.entries(counts).map(([process, count]) => `${process}=${count}`);
  return parts.toSorted().join(",");
}
