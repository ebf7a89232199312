import {
  platformFile,
  type CertificateResource,
  type ChannelResource,
  type ObservedInstance,
} from "@mainstay/api";
import { describe, expect, it } from "vitest";
import { patienceOf, problemsIn, servingOf, type SeenChange, type Sights } from "./looks.ts";

const NOW = new Date("2026-11-01T12:00:00Z");
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const LIMITS = platformFile.parse({}).problems;

const WELL: Sights = {
  ...{ now: NOW, instances: [], changes: [], certificates: [], hosts: ["shop.example.com"] },
  ...{ freeBytes: 1024 ** 4, crashes: [], channels: [], audit: [], metrics: [], scrapes: [], rules: [] },
  ...{ budgets: [], remoteWrites: [] },
};

function found(sights: Partial<Sights>): string[] {
  return problemsIn({ ...WELL, ...sights }, LIMITS).seen.map(({ kind, subject }) => `${kind} ${subject}`);
}

function instance(parts: Partial<ObservedInstance>): ObservedInstance {
  return {
    ...{ id: "ins_1", service: "shop", environment: "production", process: "web", release: "rel_1" },
    ...{ state: "ready", pid: 1, port: 1, startedAt: null, crashes: 0, passes: 3, lastExit: null },
    ...{ lastProbeError: null, inflight: 0, streams: 0, memoryBytes: null, cpuSeconds: null },
    ...parts,
  };
}

function change(parts: Partial<SeenChange>): SeenChange {
  return {
    ...{ id: "chg_1", service: "shop", environment: "production", candidate: "rel_2", state: "stepping" },
    ...{ stage: 0, bakeMs: HOUR_MS, stageStartedAtMs: NOW.getTime() },
    ...parts,
  };
}

function certificate(parts: Partial<CertificateResource> & { daysLeft?: number; days?: number }) {
  const { daysLeft = 60, days = 90, ...rest } = parts;
  const notAfterMs = NOW.getTime() + daysLeft * DAY_MS;
  return {
    ...{
      host: "shop.example.com",
      source: "acme" as const,
      state: "valid" as const,
      names: [],
      issuer: null,
    },
    ...{
      serial: null,
      fingerprint: null,
      renewAt: null,
      attempts: 0,
      lastAttemptAt: null,
      nextAttemptAt: null,
    },
    ...{ problem: null, notAfter: new Date(notAfterMs).toISOString() },
    notBefore: new Date(notAfterMs - days * DAY_MS).toISOString(),
    ...rest,
  };
}

describe("nothing", () => {
  it("is wrong with a platform that is well", () => {
    const instances = [instance({}), instance({ id: "ins_2", state: "draining" })];
    expect(found({ instances, changes: [change({})], certificates: [certificate({})] })).toEqual([]);
  });
});

describe("instances", () => {
  it("that are not ready are counted by process", () => {
    const instances = [
      instance({ state: "backing-off" }),
      instance({ id: "ins_2" }),
      instance({ process: "worker" }),
    ];
    const { seen } = problemsIn({ ...WELL, instances }, LIMITS);
    expect(seen).toMatchObject([
      { kind: "instance-down", subject: "shop/production/web", service: "shop", environment: "production" },
    ]);
    expect(seen[0]?.summary).toBe("shop (production): 1 of 2 instances of web is down");
  });

  it("of a release on trial are their change's business, until all traffic is theirs", () => {
    const instances = [instance({ release: "rel_2", state: "starting" })];
    expect(found({ instances, changes: [change({ state: "gating" })] })).toEqual([]);
    expect(found({ instances, changes: [change({ state: "baking" })] })).toHaveLength(1);
  });

  it("and commands that run once are none", () => {
    expect(found({ instances: [instance({ process: "release", state: "exited" })] })).toEqual([]);
  });

  it("say nothing while the agent is away, and that is a problem of its own", () => {
    const { kinds, seen } = problemsIn({ ...WELL, instances: null }, LIMITS);
    expect([kinds.has("instance-down"), seen.map(({ kind }) => kind)]).toEqual([false, ["agent-lost"]]);
  });

  it("whose release serves are those whose crashes count: not one on trial, nor one that is leaving", () => {
    const instances = [
      instance({ release: "rel_1" }),
      instance({ release: "rel_2", state: "backing-off" }),
      instance({ release: "rel_3", state: "stopping" }),
    ];
    const serving = servingOf({ instances, changes: [change({ candidate: "rel_2" })] });
    expect(serving.map(({ release }) => release)).toEqual(["rel_1"]);
  });

  it("that crash three times in ten minutes are a crash loop", () => {
    const crashes = { service: "shop", environment: "production", process: "web" };
    expect(found({ crashes: [{ ...crashes, count: 2 }] })).toEqual([]);
    expect(found({ crashes: [{ ...crashes, count: 3 }] })).toEqual(["crash-loop shop/production/web"]);
  });
});

describe("a change", () => {
  it("is held when its stage's bake time has long been over", () => {
    const startedAgo = (ms: number) => change({ stageStartedAtMs: NOW.getTime() - ms });
    expect(found({ changes: [startedAgo(2 * HOUR_MS)] })).toEqual([]);
    expect(found({ changes: [startedAgo(2 * HOUR_MS + 1)] })).toEqual(["change-held chg_1"]);
    expect(found({ changes: [{ ...startedAgo(9 * HOUR_MS), state: "paused" }] })).toEqual([]);
  });
});

describe("a certificate", () => {
  it.each([
    { daysLeft: 15, days: 90, isProblem: false },
    { daysLeft: 13, days: 90, isProblem: true },
    { daysLeft: -1, days: 90, isProblem: true },
    { daysLeft: 2, days: 6, isProblem: false },
    { daysLeft: 1, days: 6, isProblem: true },
  ])("of $days days with $daysLeft left is late: $isProblem", ({ isProblem, ...times }) => {
    const problems = isProblem ? ["certificate-expiring shop.example.com"] : [];
    expect(found({ certificates: [certificate(times)] })).toEqual(problems);
  });

  it("that cannot be had is a problem from the second attempt on, one from a file at once", () => {
    const problem = "no such host";
    expect(found({ certificates: [certificate({ problem, attempts: 1 })] })).toEqual([]);
    const failing = ["certificate-failing shop.example.com"];
    expect(found({ certificates: [certificate({ problem, attempts: 2 })] })).toEqual(failing);
    expect(found({ certificates: [certificate({ problem, source: "file" })] })).toEqual(failing);
  });

  it("of a host that no route has any more is nobody's business", () => {
    expect(found({ hosts: [], certificates: [certificate({ daysLeft: 1 })] })).toEqual([]);
  });
});

describe("what else is a problem", () => {
  it("is little space where the data lies", () => {
    expect(found({ freeBytes: 1024 ** 3 })).toEqual([]);
    expect(found({ freeBytes: 1024 ** 3 - 1 })).toEqual(["disk-low data-directory"]);
  });

  it("is a metrics store that does not run, whatever the reason", () => {
    const store = { subject: "metrics-store", summary: "The metrics store is in trouble: its thread ended" };
    expect(found({ metrics: [store] })).toEqual(["metrics-failing metrics-store"]);
    expect(patienceOf("metrics-failing", LIMITS)).toBe(60_000);
  });

  it("is a channel that does not reach anybody", () => {
    const channel: ChannelResource = {
      ...{ name: "ops", kind: "webhook", target: "", events: [], state: "failing", problem: "answered 500" },
      ...{ pending: 1, delivered: 0, failed: 0, dropped: 0 },
    };
    expect(found({ channels: [channel] })).toEqual(["channel-failing ops"]);
    expect(found({ channels: [{ ...channel, state: "ready" }] })).toEqual([]);
  });

  it("has to last as long as the configuration says, where it says something", () => {
    expect([patienceOf("agent-lost", LIMITS), patienceOf("disk-low", LIMITS)]).toEqual([30_000, 60_000]);
    expect(patienceOf("change-held", LIMITS)).toBe(0);
  });
});

it("a file of scrapes that is broken is a problem of the platform, after a minute", () => {
  const scrapes = [{ kind: "scrape-failing", subject: "file", summary: "The file of scrapes is …" }] as const;
  expect(problemsIn({ ...WELL, scrapes }, LIMITS).seen).toEqual([
    { ...scrapes[0], service: null, environment: null },
  ]);
  expect(patienceOf("scrape-failing", LIMITS)).toBe(60_000);
});

it("a file of rules that is broken is a problem of the platform, after a minute", () => {
  const rules = [{ kind: "rules-failing", subject: "rules.yaml", summary: "The rules of …" }] as const;
  expect(problemsIn({ ...WELL, rules }, LIMITS).seen).toEqual([
    { ...rules[0], service: null, environment: null },
  ]);
  expect(patienceOf("rules-failing", LIMITS)).toBe(60_000);
});

it("series that a budget refuses are a problem after a minute", () => {
  const budgets = [{ kind: "series-refused", subject: "metrics-store", summary: "…" }] as const;
  expect(found({ budgets })).toEqual(["series-refused metrics-store"]);
  expect(patienceOf("series-refused", LIMITS)).toBe(60_000);
});

it("a receiver of remote-write that samples do not reach is a problem after five minutes", () => {
  const remoteWrites = [{ kind: "remote-write-failing", subject: "there", summary: "…" }] as const;
  expect(found({ remoteWrites })).toEqual(["remote-write-failing there"]);
  expect(patienceOf("remote-write-failing", LIMITS)).toBe(300_000);
});
