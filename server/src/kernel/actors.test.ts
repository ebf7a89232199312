import { EventEmitter } from "node:events";
import { beforeEach, describe, expect, it } from "vitest";
import { createActors, stopOnSignals, type LongRunning } from "./actors.ts";
import { createVirtualClock, type VirtualClock } from "./clock.ts";
import { createLog } from "./log.ts";

const never = new Promise<never>(() => {});
let clock: VirtualClock;
let told: string[];

beforeEach(() => {
  clock = createVirtualClock();
  told = [];
});

function part(name: string, behaviour: Partial<LongRunning> = {}): LongRunning {
  return {
    name,
    start: () => (told.push(`start ${name}`), behaviour.start?.()),
    stop: () => (told.push(`stop ${name}`), behaviour.stop?.()),
  };
}

function actorsOf(...parts: LongRunning[]) {
  const log = createLog({ clock, level: "error", format: "json", write: () => {} });
  return createActors(parts, { clock, log, stopTimeoutMs: 1_000 });
}

describe("actors", () => {
  it("start in order and stop in reverse", async () => {
    const actors = actorsOf(part("database"), part("jobs"), part("http"));
    expect(await actors.start()).toBe(true);
    expect(await actors.stop("test")).toEqual({ reason: "test", failed: [] });
    expect(told).toEqual([
      "start database",
      "start jobs",
      "start http",
      "stop http",
      "stop jobs",
      "stop database",
    ]);
    expect(await actors.stopped).toEqual({ reason: "test", failed: [] });
  });

  it("stop once, however often they are told", async () => {
    const actors = actorsOf(part("http"));
    await actors.start();
    const outcomes = await Promise.all([actors.stop("first"), actors.stop("second")]);
    expect(outcomes.map((outcome) => outcome.reason)).toEqual(["first", "first"]);
    expect(told).toEqual(["start http", "stop http"]);
  });

  it("stop what had begun when one cannot start, and pass its error on", async () => {
    const broken = part("http", { start: () => Promise.reject(new Error("port taken")) });
    const actors = actorsOf(part("database"), broken, part("console"));
    await expect(actors.start()).rejects.toThrow("port taken");
    expect(told).toEqual(["start database", "start http", "stop http", "stop database"]);
  });

  it("go on stopping when one fails or takes too long, and name those", async () => {
    const stuck = part("stuck", { stop: () => never });
    const broken = part("broken", { stop: () => Promise.reject(new Error("no")) });
    const actors = actorsOf(part("database"), stuck, broken);
    await actors.start();
    const stopping = actors.stop("test");
    await clock.advance(1_000);
    expect(await stopping).toEqual({ reason: "test", failed: ["broken", "stuck"] });
    expect(told.at(-1)).toBe("stop database");
  });

  it("told to stop while starting, start nothing more", async () => {
    const { promise: ready, resolve } = Promise.withResolvers<void>();
    const actors = actorsOf(part("database", { start: () => ready }), part("http"));
    const starting = actors.start();
    const stopping = actors.stop("test");
    resolve();
    expect(await starting).toBe(false);
    await stopping;
    expect(told).toEqual(["start database", "stop database"]);
  });

  it("told to stop, do not wait for ever for a start that hangs", async () => {
    const actors = actorsOf(part("database", { start: () => never }));
    void actors.start();
    const stopping = actors.stop("test");
    await clock.advance(1_000);
    expect((await stopping).failed).toEqual([]);
    expect(told).toEqual(["start database", "stop database"]);
  });
});

describe("signals", () => {
  it("the first stops, the second forces", async () => {
    const source = new EventEmitter();
    const forced: string[] = [];
    const actors = actorsOf(part("http", { stop: () => never }));
    await actors.start();
    stopOnSignals(actors, source, (signal) => forced.push(signal));
    source.emit("SIGTERM");
    await clock.advance(0);
    expect(told).toContain("stop http");
    expect(forced).toEqual([]);
    source.emit("SIGINT");
    expect(forced).toEqual(["SIGINT"]);
    await clock.advance(1_000);
    expect(await actors.stopped).toMatchObject({ reason: "SIGTERM" });
  });

  it("are left alone once the handlers are taken away", () => {
    const source = new EventEmitter();
    const remove = stopOnSignals(actorsOf(), source, () => {});
    remove();
    expect(source.eventNames()).toEqual([]);
  });
});
