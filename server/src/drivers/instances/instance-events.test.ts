import type { ObservedInstance, ObservedState } from "@mainstay/api";
import { describe, expect, it } from "vitest";
import { instanceEvents } from "./instance-events.ts";

function seen(...instances: Partial<ObservedInstance>[]): ObservedState {
  const base = { id: "ins_1", service: "shop", environment: "production", process: "web", release: "rel_1" };
  const rest = {
    state: "ready",
    pid: 10,
    port: 1,
    startedAt: null,
    crashes: 0,
    passes: 3,
    lastExit: null,
    lastProbeError: null,
  };
  const figures = { inflight: 0, memoryBytes: null, cpuSeconds: null };
  const full = instances.map((each) => ({ ...base, ...rest, ...figures, ...each }) as ObservedInstance);
  return {
    bootId: "b",
    generation: 1,
    at: "",
    leaseExpired: false,
    instances: full,
    pulls: [],
    services: [],
    proxies: [],
  };
}

describe("what is told of instances", () => {
  it("is nothing at the first look, which has nothing to compare with", () => {
    expect(instanceEvents(null, seen({}))).toEqual([]);
  });

  it("is the start of a process, once", () => {
    const started = instanceEvents(seen({ pid: null }), seen({ pid: 11 }));
    expect(started.map((each) => [each.type, each.subject])).toEqual([["instances.started", "ins_1"]]);
    expect(instanceEvents(seen({ pid: 11 }), seen({ pid: 11 }))).toEqual([]);
  });

  it("is a crash with how it ended, and the start that follows it", () => {
    const lastExit = { code: 1, signal: null, at: "" };
    const told = instanceEvents(seen({ pid: 10 }), seen({ pid: 12, crashes: 1, lastExit }));
    expect(told.map((each) => each.type)).toEqual(["instances.failed", "instances.started"]);
    expect(told[0]?.data).toMatchObject({ crashes: 1, code: 1 });
  });
});
