import { expect, test } from "vitest";
import type { LoadLine, LoadSummary, LoadTick } from "./load-lines.ts";
import type { Result } from "./outcome.ts";
import { createRandom } from "./random.ts";
import { createHelloMix, type RequestMix } from "./request-mix.ts";
import { createLoad } from "./run-load.ts";
import type { OutgoingRequest } from "./transport.ts";

const OK: Result = { status: 200, proxyStatus: null, release: null, setCookies: [] };
const shares = { users: 10, cookielessShare: 0, closeShare: 0, putShare: 0 };

/** A clock whose time is moved by the test, from one timer to the next. */
function createVirtualClock() {
  let nowMs = 0;
  let timers: { atMs: number; run: () => void }[] = [];
  return {
    nowMs: () => nowMs,
    wallClock: () => new Date(nowMs),
    after(delayMs: number, run: () => void) {
      const timer = { atMs: nowMs + delayMs, run };
      timers.push(timer);
      return () => void (timers = timers.filter((each) => each !== timer));
    },
    /** Nothing runs meanwhile, as if the process had been stopped. */
    freezeFor: (durationMs: number) => void (nowMs += durationMs),
    async advanceTo(untilMs: number) {
      for (;;) {
        const next = timers.toSorted((a, b) => a.atMs - b.atMs).find(({ atMs }) => atMs <= untilMs);
        if (!next) break;
        timers = timers.filter((each) => each !== next);
        nowMs = Math.max(nowMs, next.atMs);
        next.run();
      }
      nowMs = Math.max(nowMs, untilMs);
      await new Promise(setImmediate);
    },
  };
}

/** A load over a transport that keeps every request open until the test answers it. */
async function setUp(given: { rps?: number; durationMs?: number; mix?: RequestMix } = {}) {
  const { rps = 10, durationMs = null, mix = createHelloMix() } = given;
  const clock = createVirtualClock();
  const lines: LoadLine[] = [];
  const sent: { atMs: number; request: OutgoingRequest; answer: (result: Result) => void }[] = [];
  const load = createLoad({
    options: { ...shares, rps, durationMs },
    mix,
    transport: {
      send: (request, answer) => void sent.push({ atMs: clock.nowMs(), request, answer }),
      close: () => Promise.resolve(),
    },
    random: createRandom(1),
    clock,
    cpuSeconds: () => 1.5,
    emit: (line) => void lines.push(line),
  });
  const ended = load.run();
  await new Promise(setImmediate);
  const ticks = () => lines.filter((line): line is LoadTick => line.type === "tick");
  const summary = () => lines.find((line): line is LoadSummary => line.type === "summary");
  return { clock, lines, sent, load, ended, ticks, summary };
}

test("requests are sent when they are due, although none is answered", async () => {
  const { clock, sent } = await setUp({ rps: 10 });
  await clock.advanceTo(500);
  expect(sent.map(({ atMs }) => atMs)).toEqual([0, 100, 200, 300, 400, 500]);
});

test("what fell due during a standstill is sent at once, late by its own latency", async () => {
  const { clock, sent, load, ended, summary } = await setUp({ rps: 10 });
  clock.freezeFor(1000);
  await clock.advanceTo(1000);
  expect(sent).toHaveLength(11);
  for (const { answer } of sent) answer(OK);
  load.stop();
  await ended;
  // Due at 0, 100 … 1000 and all answered at 1000: half of them waited for 500 ms or more.
  expect(summary()?.p50Ms).toBeGreaterThan(480);
  expect(summary()?.sendDelayP99Ms).toBeGreaterThan(880);
});

test("ticks come every second and add up to the summary", async () => {
  const { clock, sent, ended, ticks, summary } = await setUp({ rps: 10, durationMs: 2500 });
  await clock.advanceTo(2450);
  sent.forEach(({ answer }, index) => answer(index % 5 === 0 ? { ...OK, status: 500 } : OK));
  await ended;
  expect(ticks().map(({ atMs }) => atMs)).toEqual([1000, 2000, 2450]);
  const sum = (key: "sent" | "ok" | "applicationErrors") =>
    ticks().reduce((total, tick) => total + tick[key], 0);
  expect([sum("sent"), sum("ok"), sum("applicationErrors")]).toEqual([25, 20, 5]);
  expect(summary()).toMatchObject({ sent: 25, ok: 20, applicationErrors: 5, lost: 0, cpuSeconds: 1.5 });
});

test("a stop sends nothing more, waits for the answers under way, and then tells the whole", async () => {
  const { clock, sent, load, ended, summary } = await setUp({ rps: 10 });
  await clock.advanceTo(300);
  load.stop();
  await clock.advanceTo(1500);
  expect(sent).toHaveLength(4);
  expect(summary()).toBeUndefined();
  sent.slice(1).forEach(({ answer }) => answer(OK));
  sent[0]?.answer({ failure: "timeout" });
  await ended;
  expect(summary()).toMatchObject({ sent: 4, ok: 3, lost: 1, lostReasons: { timeout: 1 } });
  expect(summary()?.lostSamples).toEqual([
    { at: "1970-01-01T00:00:01.500Z", method: "GET", path: "/", connection: "keep-alive", reason: "timeout" },
  ]);
});

test("users come back with the cookie that they were given", async () => {
  const { clock, sent, load, ended, summary } = await setUp({ rps: 100 });
  await clock.advanceTo(1000);
  sent.forEach(({ answer }, index) => answer({ ...OK, setCookies: [`mainstay_id=${index}; Path=/`] }));
  await clock.advanceTo(1100);
  const later = sent.slice(101);
  expect(later.every(({ request }) => request.cookie?.startsWith("mainstay_id="))).toBe(true);
  for (const { answer } of later) answer(OK);
  load.stop();
  await ended;
  expect(summary()?.usersWithCookie).toBe(10);
});

const publish = { method: "PUT", path: "/demo", body: "{}", contentType: "application/json" } as const;

test("the load begins when the preparation has been taken, or was there already", async () => {
  const { clock, lines, sent } = await setUp({
    mix: { ...createHelloMix(), preparation: [publish, publish] },
  });
  await clock.advanceTo(700);
  expect(sent.map(({ request }) => request.path)).toEqual(["/demo", "/demo"]);
  sent[0]?.answer({ ...OK, status: 201 });
  sent[1]?.answer({ ...OK, status: 409 });
  await clock.advanceTo(700);
  expect(lines).toEqual([{ type: "ready", at: "1970-01-01T00:00:00.700Z", prepared: 2 }]);
  expect(sent[2]).toMatchObject({ atMs: 700, request: { path: "/" } });
});

test("a preparation that is not taken ends the load with the reason", async () => {
  const { sent, ended } = await setUp({ mix: { ...createHelloMix(), preparation: [publish] } });
  sent[0]?.answer({ ...OK, status: 404 });
  await expect(ended).rejects.toThrow("PUT /demo ended with status 404");
});
