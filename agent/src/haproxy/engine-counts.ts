import type { Arm } from "@mainstay/api";
import { GROUPS } from "../proxy/assignment.ts";
import { createTally, type Tally, type TallyKey } from "../proxy/tally.ts";
import type { AnswerClass, ArmTally, WorkerCounters, WorkerRouting } from "../proxy/worker-protocol.ts";
import { NODE } from "./engine-table.ts";
import { endingOf, readLogLine, refusalOf, type LoggedRequest } from "./log-line.ts";

/** Longer than the agent keeps the counts of an arm that left. */
const RETENTION_MS = 15 * 60_000;

export interface EngineCounts {
  /** Which instance is of which release, from now on. */
  route(routing: WorkerRouting): void;
  message(line: string): void;
  lost(reason: string, count: number): void;
  snapshot(): Pick<
    WorkerCounters,
    "arms" | "lost" | "aborted" | "unrouted" | "refused" | "sentAway" | "held"
  >;
}

interface Known {
  tally: Tally;
  leftAtMs: number | null;
}

export interface EngineCountsOptions {
  nowMs: () => number;
  /** From 0 to 1, 1 excluded: spreads requests that nobody was told apart for evenly over the groups. */
  random: () => number;
}

/** Makes of HAProxy's log what a worker counts. What the Node worker behind it served, that one counts. */
export function createEngineCounts({ nowMs, random }: EngineCountsOptions): EngineCounts {
  const tallies = new Map<string, Known>();
  /** By `<backend>/<instance>`. */
  const tallyOf = new Map<string, Known>();
  const lost = new Map<string, number>();
  const refused = new Map<string, number>();
  let draining: ReadonlySet<string> = new Set();
  let aborted = 0;

  function tallyFor(key: TallyKey): Known {
    const name = JSON.stringify([key.environment, key.service, key.arm, key.release]);
    const known = tallies.get(name) ?? { tally: createTally(key), leftAtMs: null };
    known.leftAtMs = null;
    tallies.set(name, known);
    return known;
  }

  function forget(): void {
    for (const [name, { leftAtMs }] of tallies)
      if (leftAtMs !== null && nowMs() - leftAtMs > RETENTION_MS) tallies.delete(name);
    const kept = new Set(tallies.values());
    for (const [name, known] of tallyOf) if (!kept.has(known)) tallyOf.delete(name);
  }

  function count(request: LoggedRequest, { tally }: Known, isDraining: boolean): void {
    const group = (request.bucket ?? Math.floor(random() * GROUPS)) % GROUPS;
    const answer = (code: AnswerClass) => tally.request(request.method, code);
    const ending = endingOf(request);
    for (let retry = 0; retry < request.retries; retry += 1) tally.retried();
    if (ending.kind === "answered") {
      tally.answered(group, request.answerMs ?? 0, request.status >= 500);
      answer(classOf(request.status));
      if (ending.isCut === "client") aborted += 1;
      if (ending.isCut !== "instance") return;
      return isDraining ? add(lost, "drain_cut") : tally.brokeOff(group);
    }
    if (ending.kind === "left") {
      aborted += 1;
      return answer("none");
    }
    if (ending.kind === "refused") {
      add(refused, ending.reason);
      return answer("4xx");
    }
    answer("5xx");
    if (isDraining && ending.isReset) return add(lost, "drain_cut");
    tally.failed(group, ending.isTimeout ? request.totalMs : undefined);
    if (ending.lost !== null) add(lost, ending.lost);
  }

  return {
    route(routing) {
      draining = new Set(routing.draining);
      for (const each of tallies.values()) each.leftAtMs ??= nowMs();
      for (const { service, environment, ...arms } of routing.services) {
        for (const arm of ["stable", "candidate"] satisfies Arm[]) {
          const routed = arms[arm];
          if (!routed) continue;
          const known = tallyFor({ service, environment, arm, release: routed.release });
          for (const { id } of routed.instances) tallyOf.set(`${environment}.${service}.${arm}/${id}`, known);
        }
      }
      forget();
    },
    message(line) {
      const request = readLogLine(line);
      if (!request || request.backend === NODE || request.server.startsWith(`${NODE}-`)) return;
      const instance = request.server.slice(0, request.server.lastIndexOf("-"));
      const known = tallyOf.get(`${request.backend}/${instance}`);
      if (known) return count(request, known, draining.has(instance));
      const reason = refusalOf(request);
      if (reason !== null) add(refused, reason);
    },
    lost: (reason, times) => add(lost, reason, times),
    snapshot: () => ({
      arms: [...tallies.values()].map((each): ArmTally => each.tally.snapshot()),
      lost: Object.fromEntries(lost),
      refused: Object.fromEntries(refused),
      sentAway: {},
      aborted,
      unrouted: 0,
      held: 0,
    }),
  };
}

function add(counts: Map<string, number>, name: string, count = 1): void {
  counts.set(name, (counts.get(name) ?? 0) + count);
}

function classOf(status: number): AnswerClass {
  if (status >= 500) return "5xx";
  if (status >= 400) return "4xx";
  if (status >= 300) return "3xx";
  return status >= 200 ? "2xx" : "1xx";
}
