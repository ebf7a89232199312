import type { ProblemKind } from "@mainstay/api";

/** Something that is wrong right now. */
export interface Seen {
  kind: ProblemKind;
  /** What it is about; with the kind, its identity. */
  subject: string;
  service: string | null;
  environment: string | null;
  /** One line for people. */
  summary: string;
}

/** Something that was found wrong, as it is remembered. */
export interface Known extends Seen {
  since: Date;
  toldAt: Date | null;
  goneSince: Date | null;
}

export type Verdict =
  | { act: "remember" | "update"; problem: Known }
  /** The world hears of it. */
  | { act: "open" | "end"; problem: Known }
  /** It was over before anybody was told. */
  | { act: "forget"; problem: Known };

export interface Look {
  /** What could be judged this time; of other kinds nothing is known. */
  kinds: ReadonlySet<ProblemKind>;
  seen: readonly Seen[];
  now: Date;
  /** How long a problem of a kind must last to be told, and be gone for its end to be. */
  patienceMs(kind: ProblemKind): number;
}

/** What follows from a look: what is new, what lasted long enough to be told, what is over. */
export function compareWith(known: readonly Known[], look: Look): Verdict[] {
  const { kinds, seen } = look;
  const found = new Map(seen.map((each) => [keyOf(each), each]));
  const before = new Set(known.map(keyOf));
  const old = known.filter((each) => kinds.has(each.kind));
  const fresh = seen.filter((each) => !before.has(keyOf(each)));
  return [
    ...fresh.flatMap((each) => judgeFresh(each, look)),
    ...old.flatMap((each) => judge(each, found.get(keyOf(each)) ?? null, look)),
  ];
}

function judgeFresh(seen: Seen, { now, patienceMs }: Look): Verdict[] {
  const problem = { ...seen, since: now, toldAt: null, goneSince: null };
  if (patienceMs(seen.kind) > 0) return [{ act: "remember", problem }];
  return [{ act: "open", problem: { ...problem, toldAt: now } }];
}

function judge(problem: Known, seen: Seen | null, { now, patienceMs }: Look): Verdict[] {
  const { since, toldAt, goneSince, kind } = problem;
  const isOver = (from: Date) => now.getTime() - from.getTime() >= patienceMs(kind);
  if (seen === null) {
    if (toldAt === null) return [{ act: "forget", problem }];
    if (isOver(goneSince ?? now)) return [{ act: "end", problem }];
    return goneSince === null ? [{ act: "update", problem: { ...problem, goneSince: now } }] : [];
  }
  const present = { ...problem, summary: seen.summary, goneSince: null };
  if (toldAt === null && isOver(since)) return [{ act: "open", problem: { ...present, toldAt: now } }];
  const isSame = goneSince === null && seen.summary === problem.summary;
  return isSame ? [] : [{ act: "update", problem: present }];
}

function keyOf({ kind, subject }: Pick<Seen, "kind" | "subject">): string {
  return `${kind} ${subject}`;
}
