import { EVENTS, formatDuration, type Topic } from "@mainstay/api";
import type { z } from "zod";

/** What is told, in words, whatever it is sent by. */
export interface Message {
  topic: Topic | "test";
  mood: "problem" | "recovered" | "question" | "test";
  /** What it is about; messages on the same topic and subject are grouped. */
  subject: string;
  title: string;
  /** Paragraphs. */
  body: string[];
}

export interface ToldEvent {
  type: string;
  subject: string;
  time: string;
  data: unknown;
}

type Words = Message | null;

const TELL: Record<string, (event: ToldEvent) => Words> = {
  "changes.undone": (event) => undone(event.subject, EVENTS["changes.undone"].parse(event.data)),
  "changes.approval_awaited": (event) =>
    awaited(event.subject, EVENTS["changes.approval_awaited"].parse(event.data)),
  "problems.opened": (event) => opened(event.subject, EVENTS["problems.opened"].parse(event.data)),
  "problems.ended": (event) => ended(event, EVENTS["problems.ended"].parse(event.data)),
};

/** The types of the events that become messages. */
export const TOLD_TYPES: readonly string[] = Object.keys(TELL);

/** What people are told of an event; null for one that nobody is. */
export function messageOf(event: ToldEvent): Words {
  return TELL[event.type]?.(event) ?? null;
}

/** What a test of a channel says. */
export function testMessage(channel: string, by: string): Message {
  return {
    topic: "test",
    mood: "test",
    subject: channel,
    title: `Test of the channel ${channel}`,
    body: [`${by} asked whether messages arrive here. They do.`],
  };
}

function undone(change: string, data: z.output<(typeof EVENTS)["changes.undone"]>): Message {
  const { service, environment, kind, candidate, stable, reason, outcome } = data;
  return {
    topic: "change-undone",
    mood: "problem",
    subject: `${service}/${environment}`,
    title: `${service} (${environment}): a change was undone`,
    body: [
      `Why: ${outcome ?? reason}`,
      `The change ${change} (${kind}, ${candidate}) was taken back; ${stable ?? "nothing"} serves.`,
      `mainstay change show ${change}`,
    ],
  };
}

/** Of one change at a time: an answer is wanted to each of them. */
function awaited(change: string, data: z.output<(typeof EVENTS)["changes.approval_awaited"]>): Message {
  const { service, environment, kind, candidate, stable, by, reason } = data;
  return {
    topic: "approval-awaited",
    mood: "question",
    subject: change,
    title: `${service} (${environment}): a change waits for approval`,
    body: [
      `${by}: ${reason}`,
      `The change ${change} (${kind}) is to put ${candidate} in the place of ${stable ?? "nothing"}.`,
      `mainstay change show ${change}; mainstay change approve ${change}`,
    ],
  };
}

type Problem = z.output<(typeof EVENTS)["problems.opened"]>;

function opened(subject: string, { kind, summary, since }: Problem): Message {
  return {
    topic: kind,
    mood: "problem",
    subject,
    title: summary,
    body: [`Since ${since}.`, HINTS[kind](subject)],
  };
}

function ended({ subject, time }: ToldEvent, data: z.output<(typeof EVENTS)["problems.ended"]>): Message {
  const { kind, summary, since, lastedMs } = data;
  const lasted = `It was so from ${since} to ${time}, for ${formatDuration(lastedMs)}.`;
  return { topic: kind, mood: "recovered", subject, title: `Over: ${summary}`, body: [lasted] };
}

/** Where to look. */
const HINTS: Record<Problem["kind"], (subject: string) => string> = {
  "change-blocked": () => "mainstay change list; then mend it and deploy again: nothing is undone by itself",
  "change-held": (change) => `mainstay change show ${change}; mainstay change promote ${change}`,
  "instance-down": () => "mainstay status; mainstay logs",
  "crash-loop": () => "mainstay status; mainstay logs",
  "certificate-failing": (host) => `mainstay certificates show ${host}`,
  "certificate-expiring": (host) => `mainstay certificates show ${host}`,
  "disk-low": () => "mainstay releases gc; mainstay doctor",
  "metrics-failing": () => "mainstay doctor; docs/guides/metrics.md, When something is wrong",
  "agent-lost": () => "mainstay status; mainstay doctor",
  "audit-log-failing": () => "mainstay audit log; docs/guides/audit.md",
  "checkpoint-failing": () => "mainstay audit log",
  "scrape-failing": () => "mainstay doctor; docs/guides/scraping.md",
  "series-refused": () => "mainstay metrics top; docs/guides/metrics.md, Budgets",
  "remote-write-failing": () => "mainstay metrics remote-write; docs/guides/remote-write.md",
  "rules-failing": () => "mainstay metrics check-rules; docs/guides/rules.md",
  "channel-failing": (channel) => `mainstay channels deliveries --channel ${channel}`,
};
