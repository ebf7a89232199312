export type Status = "ok" | "warning" | "error";

/** What one look at an installation found. */
export interface Finding {
  group: string;
  name: string;
  status: Status;
  /** What is so, with numbers where there are any. */
  facts: string;
  /** How to mend it; null where nothing needs to be. */
  remedy: string | null;
}

/** One finding; `remedy` is kept only where there is something to mend. */
export function finding(
  [group, name]: [group: string, name: string],
  status: Status,
  { facts, remedy }: { facts: string; remedy: string },
): Finding {
  return { group, name, status, facts, remedy: status === "ok" ? null : remedy };
}
