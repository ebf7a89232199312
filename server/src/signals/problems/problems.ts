import {
  EVENTS,
  type CertificateResource,
  type ChannelResource,
  type ObservedState,
  type PlatformConfig,
  type ProblemResource,
} from "@mainstay/api";
import type { Changes, ChangeRow } from "../../core/changes/index.ts";
import type { LongRunning } from "../../kernel/actors.ts";
import type { Clock } from "../../kernel/clock.ts";
import type { Database, Tx } from "../../kernel/database/index.ts";
import type { Event, Events, TypedEvents } from "../../kernel/events/index.ts";
import type { Log } from "../../kernel/log.ts";
import {
  CRASH_WINDOW_MS,
  patienceOf,
  problemsIn,
  servingOf,
  type AuditProblem,
  type BudgetProblem,
  type MetricsProblem,
  type RemoteWriteProblem,
  type ScrapeProblem,
  type RulesProblem,
  type SeenChange,
  type Sights,
} from "./domain/looks.ts";
import { compareWith, type Known, type Verdict } from "./domain/problem.ts";
import { createProblemsStore } from "./store.ts";

/** Where this room looks. */
export interface Places {
  changes: Pick<Changes, "list">;
  agent: { observed(): ObservedState | null; hosts(): readonly string[] };
  certificates: { list(): Promise<CertificateResource[]> };
  channels: { list(): Promise<ChannelResource[]> };
  freeBytes(): Promise<number>;
  audit: { problems(): Promise<AuditProblem[]> };
  /** What is wrong with the metrics store, or with the one elsewhere that answers queries. */
  metrics: { problems(): readonly MetricsProblem[] };
  scrapes: { problems(): readonly ScrapeProblem[] };
  rules: { problems(): readonly RulesProblem[] };
  budgets: { problems(): readonly BudgetProblem[] };
  remoteWrites: { problems(): readonly RemoteWriteProblem[] };
}

export interface ProblemsDependencies {
  db: Database;
  clock: Clock;
  log: Log;
  events: TypedEvents & Pick<Events, "subscribe">;
  limits: PlatformConfig["problems"];
  places: Places;
}

export interface Problems extends LongRunning {
  /** What was told of and is not over, the oldest first. */
  list(): Promise<ProblemResource[]>;
  /** Looks at everything once, as it does by itself. */
  look(): Promise<void>;
}

const LOOK_MS = 5_000;
const CHANGES_MAX = 1_000;
const HEARD = ["changes.blocked", "changes.succeeded", "instances.failed"];

/** What is wrong with the platform right now, told once when it begins and once when it is over. */
export function createProblems(dependencies: ProblemsDependencies): Problems {
  const { db, clock, log, events, limits, places } = dependencies;
  const store = createProblemsStore(db);
  let end = (): void => {};
  let looking: Promise<void> = Promise.resolve();
  let isStumbling = false;

  events.subscribe({ name: "problems", types: HEARD, handle: hear });

  async function hear(event: Event): Promise<void> {
    if (event.type === "instances.failed") return rememberCrash(event);
    const data = EVENTS["changes.blocked"].parse(event.data);
    const { service, environment } = data;
    const about = { kind: "change-blocked", subject: `${service}/${environment}` } as const;
    await db.transaction().execute(async (tx) => {
      const known = await store.find(tx, about);
      if (event.type === "changes.succeeded")
        return known ? carryOut(tx, { act: "end", problem: known }) : undefined;
      const summary = `${service} (${environment}): ${event.subject} failed and cannot be undone: ${data.outcome ?? data.reason}`;
      const problem = { ...about, service, environment, summary, since: clock.now() };
      if (known === null)
        await carryOut(tx, { act: "open", problem: { ...problem, toldAt: clock.now(), goneSince: null } });
    });
  }

  async function rememberCrash({ id, time, data }: Event): Promise<void> {
    const { service, environment, process, release } = EVENTS["instances.failed"].parse(data);
    const at = new Date(time);
    await store.addCrash(
      { event: id, service, environment, process, release, at },
      new Date(at.getTime() - CRASH_WINDOW_MS),
    );
  }

  async function look(): Promise<void> {
    const sights = await lookAround();
    const found = problemsIn(sights, limits);
    const patienceMs = (kind: Known["kind"]): number => patienceOf(kind, limits);
    await db.transaction().execute(async (tx) => {
      if (!(await store.lock(tx))) return;
      const verdicts = compareWith(await store.known(tx), { ...found, now: sights.now, patienceMs });
      for (const verdict of verdicts) await carryOut(tx, verdict);
    });
  }

  async function lookAround(): Promise<Sights> {
    const now = clock.now();
    const changes = (await places.changes.list({ active: true, limit: CHANGES_MAX })).map(toSeen);
    const instances = places.agent.observed()?.instances ?? null;
    const releases = [...new Set(servingOf({ changes, instances }).map(({ release }) => release))];
    return {
      now,
      changes,
      instances,
      hosts: places.agent.hosts(),
      certificates: await places.certificates.list(),
      freeBytes: await places.freeBytes(),
      crashes: await store.crashes(new Date(now.getTime() - CRASH_WINDOW_MS), releases),
      channels: await places.channels.list(),
      audit: await places.audit.problems(),
      metrics: places.metrics.problems(),
      scrapes: places.scrapes.problems(),
      rules: places.rules.problems(),
      budgets: places.budgets.problems(),
      remoteWrites: places.remoteWrites.problems(),
    };
  }

  async function carryOut(tx: Tx, { act, problem }: Verdict): Promise<void> {
    if (act === "end" || act === "forget") await store.remove(tx, problem);
    else await store.write(tx, problem);
    const { kind, subject, service, environment, summary } = problem;
    const data = { kind, service, environment, summary, since: problem.since.toISOString() };
    if (act === "open") await events.emit(tx, { type: "problems.opened", subject, data });
    const lastedMs = clock.now().getTime() - problem.since.getTime();
    if (act === "end")
      await events.emit(tx, { type: "problems.ended", subject, data: { ...data, lastedMs } });
    if (act === "open") log.warn({ kind, subject, summary }, "a problem");
    if (act === "end") log.info({ kind, subject, lastedMs }, "a problem is over");
  }

  async function lookOnce(): Promise<void> {
    await look().then(
      () => void (isStumbling = false),
      (error: unknown) => {
        if (!isStumbling) log.warn({ error }, "it could not be looked for problems; trying again");
        isStumbling = true;
      },
    );
  }

  return {
    name: "problems",
    look,
    list: async () => (await store.open()).map(toResource),
    start() {
      end = clock.every(LOOK_MS, () => (looking = lookOnce()));
    },
    async stop() {
      end();
      await looking;
    },
  };
}

function toSeen({
  id,
  service,
  environment,
  candidate,
  state,
  stage,
  plan,
  position,
}: ChangeRow): SeenChange {
  const bakeMs = plan.stages[stage]?.bakeMs ?? 0;
  const { stageStartedAtMs } = position;
  return { id, service, environment, candidate, state, stage, bakeMs, stageStartedAtMs };
}

function toResource({ kind, subject, service, environment, summary, since }: Known): ProblemResource {
  return { kind, subject, service, environment, summary, since: since.toISOString() };
}
