import * as fs from "node:fs";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { createLabels } from "@mainstay/metrics/model";
import { openMetricsStore, type StoreSettings } from "@mainstay/metrics/tsdb";
import type { OutgoingSeries } from "@mainstay/metrics/wire";
import fc from "fast-check";
import { describe, expect, it, onTestFinished } from "vitest";
import { createVirtualClock } from "../../../../kernel/clock.ts";
import { createNaming } from "./naming.ts";
import type { PostAnswer } from "./post.ts";
import { startRemote, type Remote } from "./remote.ts";
import type { RemoteSettings } from "./remote-settings.ts";

const START_MS = Date.parse("2026-11-01T12:00:00Z");
const HOUR_MS = 3_600_000;
const OPEN: RemoteSettings["access"] = {
  ...{ headers: [], basic: null, token: null },
  tls: { ca: null, cert: null, key: null, serverName: null, isUnchecked: false },
};
const SETTINGS: RemoteSettings = {
  ...{ name: "there", url: "http://there.example/api/v1/write?key=secret", protocol: "auto", timeoutMs: 1 },
  ...{ access: OPEN, relabelRules: [], sendsExemplars: true, sendsNativeHistograms: true },
  ...{ samplesPerSend: 3, deadlineMs: 2_000, backoffMs: { min: 30, max: 1_000 }, sampleAgeMs: 0 },
  backlogBytes: 2 ** 30,
};

type Answer = { status: number; headers?: Record<string, string>; message?: string } | Error;
/** Of a receiver of 2.0. */
const TAKEN: Answer = { status: 204, headers: { "x-prometheus-remote-write-samples-written": "1" } };

interface Sent {
  atMs: number;
  version: 1 | 2;
  samples: string[];
}

/** A store whose samples are sent to a receiver that answers what the test says. */
function openHouse(settings: Partial<RemoteSettings> = {}, store: Partial<StoreSettings> = {}) {
  const directory = mkdtempSync(path.join(tmpdir(), "mainstay-remote-"));
  const clock = createVirtualClock(START_MS);
  const sent: Sent[] = [];
  const troubles: (string | null)[] = [];
  let answer: (version: 1 | 2, samples: string[]) => Answer | Promise<Answer> = () => TAKEN;
  /** Of the process that runs now; what waits for one that was killed waits for ever. */
  let life = { isOver: false };
  let freeBytes = 2 ** 40;
  const disk = {
    ...fs,
    statfsSync: () => ({ bavail: freeBytes, bsize: 1 }),
    fdatasyncSync() {},
    fsyncSync() {},
  };
  const open = () =>
    openMetricsStore({
      ...{ disk, directory, clock: { now: () => clock.now().getTime() }, pause: async () => {} },
      ...{ blockMs: HOUR_MS, outOfOrderMs: 0, aheadMs: 1e15, ...store },
    });
  let engine = open();
  let remote: Remote | null = null;

  function mortal() {
    const own = life;
    const never = () => new Promise<never>(() => {});
    return <Result>(work: () => Result) => (own.isOver ? never() : work());
  }

  async function send(series: readonly OutgoingSeries[], version: 1 | 2): Promise<PostAnswer> {
    const samples = series.flatMap(({ labels, timestampsMs, values, from = 0, to = 0 }) =>
      Array.from({ length: to - from }, (_, nth) => {
        const atMs = (timestampsMs[from + nth] ?? 0) - START_MS;
        return `${labels.values[0]} ${atMs} ${values[from + nth]}`;
      }),
    );
    sent.push({ atMs: clock.now().getTime() - START_MS, version, samples });
    const given = await answer(version, samples);
    if (given instanceof Error) throw given;
    return { headers: {}, message: "", ...given };
  }

  function start(): Remote {
    const [follower] = engine.follow(["there"]);
    if (follower === undefined) throw new Error("no follower");
    const all = { ...SETTINGS, ...settings };
    const alive = mortal();
    const requests = {
      send: (...sending: Parameters<typeof send>) => alive(() => send(...sending)),
      ...{ forgetTold() {}, close() {} },
    };
    const sleep: typeof clock.sleep = async (ms, signal) => {
      await clock.sleep(ms, signal);
      return alive(() => undefined);
    };
    return startRemote({
      ...{ settings: all, follower, nameOf: createNaming(follower, all.relabelRules) },
      ...{ clock: { ...clock, sleep }, requests, random: () => 1 },
      pause: async () => alive(() => undefined),
      attempt: async (_, work) => alive(work),
      onTrouble: (trouble) => void troubles.push(trouble),
    });
  }

  onTestFinished(async () => {
    const stopped = remote?.stop();
    await clock.advance(10_000);
    await stopped;
    await engine.close();
    rmSync(directory, { recursive: true, force: true });
  });
  return {
    ...{ clock, sent, troubles },
    start: () => (remote = start()),
    answers: (next: typeof answer) => (answer = next),
    setFreeBytes: (bytes: number) => (freeBytes = bytes),
    view: () => remote?.view(),
    samples: () => sent.flatMap(({ samples }) => samples),
    /** As after a crash: what runs goes nowhere any more. */
    restart() {
      life.isOver = true;
      life = { isOver: false };
      engine = open();
    },
    maintain: () => engine.maintain(),
    put(name: string, atMs: number, values: readonly number[]) {
      const found = engine.resolve(createLabels([["__name__", name]]));
      if ("refusal" in found) throw new Error(found.refusal.message);
      const refs = new Float64Array(values.length).fill(found.ref);
      const timestampsMs = Float64Array.from(values, (_, index) => START_MS + atMs + index);
      const samples = { refs, timestampsMs, values: Float64Array.from(values), count: values.length };
      return engine.append({ samples });
    },
  };
}

describe("a receiver of remote-write", () => {
  it("is sent what is taken in, as soon as it is enough, or has waited for long enough", async () => {
    const house = openHouse();
    house.start();
    house.put("a", 0, [1, 2, 3, 4]);
    await house.clock.advance(1_000);
    expect(house.sent).toEqual([{ atMs: 0, version: 2, samples: ["a 0 1", "a 1 2", "a 2 3"] }]);
    await house.clock.advance(2_000);
    expect(house.sent.slice(1)).toEqual([{ atMs: 2_000, version: 2, samples: ["a 3 4"] }]);
    expect(house.view()).toMatchObject({
      ...{ state: "sending", protocol: 2, sentSamples: 4, backlogBytes: 0, behindSeconds: 0 },
      ...{ failedSamples: {}, droppedSamples: {}, lastError: null, firstRefusal: null },
      url: "http://there.example/api/v1/write",
    });
  });

  it.each([415, 400, 204])(
    "that answers %i to version 2 gets the same in version 1, and what follows",
    async (status) => {
      const house = openHouse();
      house.answers((version) => ({ status: version === 2 ? status : 200 }));
      house.start();
      house.put("a", 0, [1, 2, 3]);
      await house.clock.advance(1_000);
      house.put("a", 10, [4, 5, 6]);
      await house.clock.advance(1_000);
      expect(house.sent.map(({ version, samples }) => [version, samples.length])).toEqual([
        ...[
          [2, 3],
          [1, 3],
        ],
        [1, 3],
      ]);
      expect(house.view()).toMatchObject({
        protocol: 1,
        sentSamples: 6,
        retriedSamples: 0,
        failedSamples: {},
      });
    },
  );

  it("is asked again after a pause that doubles up to its limit, and is told of while it lasts", async () => {
    const house = openHouse();
    house.answers(() => new Error("connect ECONNREFUSED"));
    house.start();
    house.put("a", 0, [1, 2, 3]);
    await house.clock.advance(3_500);
    const at = house.sent.map(({ atMs }) => atMs);
    const pauses = at.slice(1).map((each, index) => each - (at[index] ?? 0));
    expect(pauses).toEqual([30, 60, 120, 240, 480, 960, 1_000]);
    expect(house.view()).toMatchObject({
      ...{ state: "failing", lastError: "connect ECONNREFUSED", sentSamples: 0, retriedSamples: 24 },
      ...{ failingSince: "2026-11-01T12:00:00.000Z" },
    });
    house.answers(() => TAKEN);
    await house.clock.advance(1_000);
    expect(house.view()).toMatchObject({ state: "sending", sentSamples: 3, failingSince: null });
    expect(house.troubles).toEqual(["connect ECONNREFUSED", null]);
  });

  it("is left alone for as long as it asks for", async () => {
    const house = openHouse();
    house.answers(() => ({ status: 503, headers: { "retry-after": "20" } }));
    house.start();
    house.put("a", 0, [1, 2, 3]);
    await house.clock.advance(19_500);
    expect(house.sent).toHaveLength(1);
    await house.clock.advance(1_000);
    expect(house.sent).toHaveLength(2);
  });

  it("that refuses a part for good is not asked for it again, and its first words are kept", async () => {
    const house = openHouse();
    const headers = { "x-prometheus-remote-write-samples-written": "2" };
    house.answers(() => ({ status: 400, headers, message: "out of order" }));
    house.start();
    house.put("a", 0, [1, 2, 3]);
    await house.clock.advance(1_000);
    house.answers(() => ({ status: 422, message: "another" }));
    house.put("a", 10, [4, 5, 6]);
    await house.clock.advance(1_000);
    expect(house.sent).toHaveLength(2);
    expect(house.view()).toMatchObject({
      ...{ state: "sending", protocol: 2, sentSamples: 2, failedSamples: { 400: 1, 422: 3 } },
      firstRefusal: { at: "2026-11-01T12:00:00.000Z", status: 400, message: "HTTP 400: out of order" },
    });
    expect(house.troubles.at(-1)).toContain("3 samples were refused for good, HTTP 422: another");
    await house.clock.advance(11 * 60_000);
    expect(house.troubles.at(-1)).toBe(null);
  });

  it("does not get what has become too old", async () => {
    const house = openHouse({ sampleAgeMs: 60_000 });
    house.answers(() => new Error("away"));
    house.start();
    house.put("a", 0, [1, 2, 3, 4]);
    await house.clock.advance(50_000);
    house.put("a", 50_000, [5]);
    await house.clock.advance(20_000);
    house.answers(() => TAKEN);
    house.sent.length = 0;
    await house.clock.advance(5_000);
    expect(house.samples()).toEqual(["a 50000 5"]);
    expect(house.view()).toMatchObject({ droppedSamples: { "too-old": 4 }, sentSamples: 1, backlogBytes: 0 });
  });

  it("loses the oldest when more waits for it than is kept", async () => {
    const house = openHouse({ backlogBytes: 1_000 });
    house.answers(() => new Error("away"));
    house.start();
    for (let at = 0; at < 100; at++) house.put("a", at * 10, [at]);
    await house.clock.advance(5_000);
    house.answers(() => TAKEN);
    house.sent.length = 0;
    await house.clock.advance(60_000);
    const dropped = house.view()?.droppedSamples["backlog"] ?? 0;
    expect(dropped).toBeGreaterThan(30);
    expect(dropped + (house.view()?.sentSamples ?? 0)).toBe(100);
    expect(house.samples().at(-1)).toBe("a 990 99");
  });

  it("loses what is kept for it alone when the disk is full, and nothing else", async () => {
    const house = openHouse({}, { segmentBytes: 256, minFreeBytes: 1_000 });
    house.answers(() => new Error("away"));
    house.start();
    for (let at = 0; at < 30; at++) house.put("a", at, [at]);
    house.put("now", 3 * HOUR_MS, [0]);
    await house.clock.advance(2_000);
    await house.maintain();
    house.put("b", 3 * HOUR_MS, [1, 2, 3]);
    house.setFreeBytes(10);
    await house.clock.advance(2_000);
    expect(() => house.put("b", 3 * HOUR_MS + 10, [4])).toThrow("no space is left");
    await house.clock.advance(2_000);
    house.answers(() => TAKEN);
    house.sent.length = 0;
    await house.clock.advance(20_000);
    expect(house.samples()).toEqual(["b 10800000 1", "b 10800001 2", "b 10800002 3"]);
    expect(house.view()?.droppedSamples).toEqual({ "disk-full": 31 });
  });

  it("gets the very same request again that was under way in a crash, and misses no sample", async () => {
    const house = openHouse({ samplesPerSend: 2 });
    house.start();
    house.put("a", 0, [1, 2, 3, 4, 5]);
    house.answers(() => (house.sent.length < 2 ? TAKEN : new Promise<Answer>(() => {})));
    await house.clock.advance(1_000);
    expect(house.samples()).toEqual(["a 0 1", "a 1 2", "a 2 3", "a 3 4"]);
    house.restart();
    house.sent.length = 0;
    house.answers(() => TAKEN);
    house.start();
    house.put("a", 10, [6, 7]);
    await house.clock.advance(10_000);
    expect(house.sent.map(({ samples }) => samples)).toEqual([
      ["a 2 3", "a 3 4"],
      ["a 4 5", "a 10 6"],
      ["a 11 7"],
    ]);
  });

  it("raises no alarm when it refuses what it had before the crash", async () => {
    const house = openHouse();
    house.start();
    house.put("a", 0, [1]);
    house.answers(() => new Promise<Answer>(() => {}));
    await house.clock.advance(5_000);
    house.restart();
    house.answers(() => ({ status: 400, headers: { "x-prometheus-remote-write-samples-written": "0" } }));
    house.start();
    await house.clock.advance(5_000);
    expect(house.view()).toMatchObject({ failedSamples: { 400: 1 }, firstRefusal: null });
    expect(house.troubles).toEqual([]);
  });

  it("is sent what rules make of it", async () => {
    const house = openHouse({
      relabelRules: [
        { sourceLabels: ["__name__"], regex: "secret", action: "drop" },
        { targetLabel: "site", replacement: "here" },
      ],
    });
    house.start();
    house.put("secret", 0, [1]);
    house.put("a", 0, [1, 2, 3]);
    await house.clock.advance(3_000);
    expect(house.samples()).toEqual(["a 0 1", "a 1 2", "a 2 3"]);
    expect(house.view()?.droppedSamples).toEqual({ relabelling: 1 });
    expect(house.troubles).toEqual([]);
  });

  it("that takes nothing twice gets every sample, whatever crashes", async () => {
    const act = fc.oneof(
      { weight: 4, arbitrary: fc.record({ act: fc.constant("put"), count: fc.integer({ min: 1, max: 7 }) }) },
      {
        weight: 3,
        arbitrary: fc.record({ act: fc.constant("wait"), count: fc.integer({ min: 1, max: 4 }) }),
      },
      { weight: 2, arbitrary: fc.record({ act: fc.constantFrom("busy", "mute", "well"), count: fc.nat(1) }) },
      { weight: 1, arbitrary: fc.record({ act: fc.constant("crash"), count: fc.nat(1) }) },
    );
    const lives = fc.array(act, { minLength: 5, maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(lives, async (acts) => {
        const house = openHouse({ samplesPerSend: 3 });
        const taken = new Map<string, number>();
        const all: string[] = [];
        let mood = "well";
        // Like a Prometheus without a window for late samples:
        // one of them, and nothing of the request is taken.
        house.answers((_, samples) => {
          if (mood === "busy") return { status: 503 };
          const rows = samples.map((row) => row.split(" ").map(Number));
          const isNew = rows.every(
            ([, atMs = 0], index) => atMs > (taken.get(`${samples[index]?.[0]}`) ?? -1),
          );
          if (isNew) samples.forEach((row) => taken.set(row[0] ?? "", Number(row.split(" ")[1])));
          if (isNew) samples.forEach((row) => all.push(row));
          if (mood === "mute") return new Promise(() => {});
          return isNew ? TAKEN : { status: 400, message: "out of order" };
        });
        house.start();
        const put: string[] = [];
        for (const [turn, { act: name, count }] of acts.entries()) {
          if (name === "put") {
            const values = Array.from({ length: count }, (_, nth) => nth);
            house.put(turn % 2 === 0 ? "a" : "b", turn * 10, values);
            put.push(...values.map((nth) => `${turn % 2 === 0 ? "a" : "b"} ${turn * 10 + nth} ${nth}`));
          } else if (name === "wait") await house.clock.advance(count * 700);
          else if (name === "crash" || mood === "mute") {
            house.restart();
            mood = "well";
            house.start();
          } else mood = name;
        }
        house.restart();
        mood = "well";
        house.start();
        await house.clock.advance(30_000);
        expect(all.toSorted()).toEqual(put.toSorted());
      }),
      { numRuns: 60 },
    );
  });

  it("gets what waits when the server ends, if it answers soon", async () => {
    const house = openHouse();
    const remote = house.start();
    house.put("a", 0, [1]);
    await house.clock.advance(0);
    await remote.stop();
    expect(house.samples()).toEqual(["a 0 1"]);
  });
});
