import {
  formatSize,
  isTask,
  type CertificateResource,
  type ChannelResource,
  type ObservedInstance,
  type PlatformConfig,
  type ProblemKind,
} from "@mainstay/api";
import type { Seen } from "./problem.ts";

/** What can be seen of the platform at one moment. */
export interface Sights {
  now: Date;
  /** Null: the agent is away. */
  instances: readonly ObservedInstance[] | null;
  changes: readonly SeenChange[];
  certificates: readonly CertificateResource[];
  /** Hosts of routes: only their certificates matter. */
  hosts: readonly string[];
  freeBytes: number;
  crashes: readonly Crashes[];
  channels: readonly ChannelResource[];
  /** What keeps the audit log, or its checkpoints, from going on. */
  audit: readonly AuditProblem[];
  /** What is wrong with the metrics store, or with the one elsewhere that answers queries. */
  metrics: readonly MetricsProblem[];
  /** What keeps targets from being found. */
  scrapes: readonly ScrapeProblem[];
  /** Files of rules that are not in force, and rules that cannot be evaluated. */
  rules: readonly RulesProblem[];
  /** Whose new series a budget refuses. */
  budgets: readonly BudgetProblem[];
  /** Receivers of remote-write that samples do not reach. */
  remoteWrites: readonly RemoteWriteProblem[];
}

export interface MetricsProblem {
  subject: string;
  summary: string;
}

export interface ScrapeProblem {
  kind: "scrape-failing";
  subject: string;
  summary: string;
}

export interface RulesProblem {
  kind: "rules-failing";
  subject: string;
  summary: string;
}

export interface BudgetProblem {
  kind: "series-refused";
  subject: string;
  summary: string;
}

export interface RemoteWriteProblem {
  kind: "remote-write-failing";
  subject: string;
  summary: string;
}

export interface AuditProblem {
  kind: "audit-log-failing" | "checkpoint-failing";
  subject: string;
  summary: string;
}

export interface SeenChange {
  id: string;
  service: string;
  environment: string;
  candidate: string;
  state: string;
  stage: number;
  bakeMs: number;
  stageStartedAtMs: number | null;
}

/** How often the instances of one process ended unasked within `CRASH_WINDOW_MS`. */
export interface Crashes {
  service: string;
  environment: string;
  process: string;
  count: number;
}

export const CRASH_WINDOW_MS = 10 * 60_000;
const CRASHES_MIN = 3;
const FAILED_ORDERS_MIN = 2;
/** What is left of a short-lived certificate when it is late to be renewed. */
const LAST_SHARE = 0.2;

/** Kinds that are looked for; the others are told by events. */
const ALWAYS: readonly ProblemKind[] = [
  "change-held",
  "certificate-failing",
  "certificate-expiring",
  "disk-low",
  "metrics-failing",
  "agent-lost",
  "channel-failing",
  "audit-log-failing",
  "rules-failing",
  "checkpoint-failing",
  "scrape-failing",
  "series-refused",
  "remote-write-failing",
];
/** Kinds of which nothing is known while the agent is away. */
const BY_AGENT: readonly ProblemKind[] = ["instance-down", "crash-loop"];

/** Everything that is wrong, and of which kinds that can be said. */
export function problemsIn(
  sights: Sights,
  limits: PlatformConfig["problems"],
): { kinds: Set<ProblemKind>; seen: Seen[] } {
  const { instances } = sights;
  const seen = [
    ...held(sights, limits.heldFor),
    ...certificates(sights, limits.certificateExpiry),
    ...disk(sights, limits.diskFree),
    ...ofMetrics(sights),
    ...channels(sights),
    ...[
      ...[...sights.audit, ...sights.scrapes, ...sights.rules],
      ...[...sights.budgets, ...sights.remoteWrites],
    ].map((each) => ({ ...each, service: null, environment: null })),
  ];
  const ofPlatform = { service: null, environment: null };
  if (instances !== null)
    return {
      kinds: new Set([...ALWAYS, ...BY_AGENT]),
      seen: [...seen, ...down(sights), ...looping(sights)],
    };
  const summary = "The agent does not answer: nothing is started or stopped, traffic goes on as it was";
  return {
    kinds: new Set(ALWAYS),
    seen: [...seen, { kind: "agent-lost", subject: "agent", ...ofPlatform, summary }],
  };
}

function held({ changes, now }: Sights, heldForMs: number): Seen[] {
  const isHeld = ({ state, bakeMs, stageStartedAtMs }: SeenChange) =>
    state === "stepping" &&
    stageStartedAtMs !== null &&
    now.getTime() - stageStartedAtMs > bakeMs + heldForMs;
  return changes.filter(isHeld).map(({ id, service, environment, stage }) => ({
    ...{ kind: "change-held", subject: id, service, environment },
    summary: `${service} (${environment}): ${id} is held at stage ${stage + 1}, too little is known to go on`,
  }));
}

const LEAVING = new Set<ObservedInstance["state"]>(["draining", "stopping"]);

/** Instances that users rely on: those on trial are judged by their change, which is told of by itself. */
export function servingOf({ changes, instances }: Pick<Sights, "changes" | "instances">): ObservedInstance[] {
  const trial = changes
    .filter(({ state }) => state !== "baking" && state !== "draining")
    .map(({ candidate }) => candidate);
  return (instances ?? []).filter(
    ({ release, process, state }) => !trial.includes(release) && !isTask(process) && !LEAVING.has(state),
  );
}

function down(sights: Sights): Seen[] {
  const byProcess = Map.groupBy(servingOf(sights), nameOf);
  return [...byProcess].flatMap(([subject, all]) => {
    const [first] = all;
    const count = all.filter(({ state }) => state !== "ready").length;
    if (!first || count === 0) return [];
    const { service, environment, process } = first;
    const how = `${count} of ${all.length} instances of ${process} ${count === 1 ? "is" : "are"} down`;
    return [
      {
        kind: "instance-down",
        subject,
        service,
        environment,
        summary: `${service} (${environment}): ${how}`,
      },
    ];
  });
}

function looping({ crashes }: Sights): Seen[] {
  const many = crashes.filter(({ count }) => count >= CRASHES_MIN);
  return many.map(({ service, environment, process }) => ({
    ...{ kind: "crash-loop", subject: nameOf({ service, environment, process }), service, environment },
    summary: `${service} (${environment}): ${process} crashes again and again`,
  }));
}

function nameOf({ service, environment, process }: Omit<Crashes, "count">): string {
  return `${service}/${environment}/${process}`;
}

function certificates({ certificates: all, hosts, now }: Sights, expiryMs: number): Seen[] {
  const about = { service: null, environment: null };
  const mattering = all.filter(({ host, source }) => source === "file" || hosts.includes(host));
  const failing = mattering.filter(
    ({ source, problem, attempts }) =>
      problem !== null && (source === "file" || (source === "acme" && attempts >= FAILED_ORDERS_MIN)),
  );
  const expiring = mattering.filter((each) => isLate(each, now, expiryMs));
  return [
    ...failing.map(({ host, problem }): Seen => ({
      ...{ kind: "certificate-failing", subject: host, ...about },
      summary: `No certificate can be had for ${host}: ${problem}`,
    })),
    ...expiring.map(({ host, notAfter }): Seen => ({
      ...{ kind: "certificate-expiring", subject: host, ...about },
      summary: `The certificate of ${host} ends at ${notAfter}`,
    })),
  ];
}

function isLate({ notBefore, notAfter }: CertificateResource, now: Date, expiryMs: number): boolean {
  if (notBefore === null || notAfter === null || expiryMs === 0) return false;
  const lifetimeMs = Date.parse(notAfter) - Date.parse(notBefore);
  return Date.parse(notAfter) - now.getTime() < Math.min(expiryMs, lifetimeMs * LAST_SHARE);
}

function disk({ freeBytes }: Sights, limitBytes: number): Seen[] {
  if (freeBytes >= limitBytes) return [];
  const summary = `Less than ${formatSize(limitBytes)} is free where the data lies`;
  return [{ kind: "disk-low", subject: "data-directory", service: null, environment: null, summary }];
}

function ofMetrics({ metrics }: Sights): Seen[] {
  return metrics.map((each) => ({ kind: "metrics-failing", service: null, environment: null, ...each }));
}

function channels({ channels: all }: Sights): Seen[] {
  const failing = all.filter(({ state }) => state !== "ready");
  return failing.map(({ name, problem }) => ({
    ...{ kind: "channel-failing", subject: name, service: null, environment: null },
    summary: `Messages do not reach ${name}: ${problem}`,
  }));
}

/** How long a problem must last to be told, and be gone for its end to be. */
export function patienceOf(kind: ProblemKind, { downFor }: PlatformConfig["problems"]): number {
  return PATIENCE_MS[kind] ?? downFor;
}

const PATIENCE_MS: Partial<Record<ProblemKind, number>> = {
  "change-blocked": 0,
  "change-held": 0,
  "crash-loop": 0,
  "certificate-failing": 0,
  "certificate-expiring": 0,
  "disk-low": 60_000,
  "metrics-failing": 60_000,
  "rules-failing": 60_000,
  "channel-failing": 10 * 60_000,
  "checkpoint-failing": 10 * 60_000,
  "scrape-failing": 60_000,
  "series-refused": 60_000,
  "remote-write-failing": 5 * 60_000,
};
