import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { waitFor } from "../testing/wait-for.ts";
import {
  startTestWorker,
  startUpstream,
  TEST_ENGINES,
  type TestUpstream,
  type TestWorker,
} from "../testing/worker.ts";
import type { WorkerService } from "./worker-protocol.ts";

describe.each(TEST_ENGINES)("a proxy worker (%s), while no instance can be reached,", (engine) => {
  let worker: TestWorker;
  let app: TestUpstream;

  beforeAll(async () => {
    worker = await startTestWorker({ engine, limits: { held: 5 } });
    app = await startUpstream((request, response) => {
      request.setEncoding("utf8");
      let body = "";
      request.on("data", (text: string) => (body += text));
      request.on("end", () => response.end(`${request.method} ${body}`));
    });
  });
  afterAll(async () => {
    await worker.stop();
    await app.stop();
  });
  afterEach(async () => {
    await waitFor("all requests to end", async () => (await worker.status()).inflight === 0);
  });

  const nobody = { release: "rel_1", instances: [] };

  function holding(holdTimeoutMs: number): Partial<WorkerService> {
    return { connections: { balance: "round-robin", drainTimeoutMs: 0, holdTimeoutMs } };
  }

  it("keeps requests, bodies and all, and hands them on as soon as one is back", async () => {
    const before = (await worker.counters()).held;
    await worker.route([{ stable: nobody, ...holding(20_000) }]);
    const pending = ["GET", "POST", "PUT"].map((method) =>
      fetch(worker.url, { method, ...(method === "GET" ? {} : { body: "kept" }) }),
    );
    await waitFor("them to wait", async () => (await worker.counters()).held === before + 3);
    await worker.route([{ stable: app.arm("rel_1"), ...holding(20_000) }]);
    const answers = await Promise.all(pending);
    expect(answers.map((each) => each.status)).toEqual([200, 200, 200]);
    expect(await Promise.all(answers.map((each) => each.text()))).toEqual(["GET ", "POST kept", "PUT kept"]);
    const { lost, arms } = await worker.counters();
    expect([lost, arms[0]?.errors.reduce((sum, each) => sum + each)]).toEqual([{}, 0]);
  });

  it("tries an instance that does not listen yet again and again, with one request at a time", async () => {
    const late = await startUpstream((_request, response) => response.end("late"));
    const { port } = late;
    await late.stop();
    await worker.route([{ stable: late.arm("rel_late"), ...holding(20_000) }]);
    const before = (await worker.counters()).held;
    const pending = Array.from({ length: 5 }, () => fetch(worker.url));
    await waitFor("them to wait", async () => (await worker.counters()).held === before + 5);
    const again = await startUpstream((_request, response) => response.end("late"), port);
    const answers = await Promise.all(pending);
    expect(await Promise.all(answers.map((each) => each.text()))).toEqual(Array(5).fill("late"));
    await again.stop();
  });

  it("gives up when the time is over, and takes the blame", async () => {
    const before = (await worker.counters()).lost["no_instance"] ?? 0;
    await worker.route([{ stable: nobody, ...holding(300) }]);
    const answer = await fetch(worker.url);
    expect([answer.status, answer.headers.get("proxy-status")]).toEqual([
      503,
      "mainstay; error=destination_unavailable",
    ]);
    expect((await worker.counters()).lost["no_instance"]).toBe(before + 1);
  });

  it("keeps no more than it may, and answers the others at once", async () => {
    await worker.route([{ stable: nobody, ...holding(20_000) }]);
    const before = (await worker.counters()).held;
    const leaving = new AbortController();
    const pending = Array.from({ length: 5 }, () =>
      fetch(worker.url, { signal: leaving.signal }).catch(() => null),
    );
    await waitFor("them to wait", async () => (await worker.counters()).held === before + 5);
    expect((await fetch(worker.url)).status).toBe(503);
    leaving.abort();
    await Promise.all(pending);
    await waitFor("room", async () => (await worker.status()).inflight === 0);
    const next = fetch(worker.url);
    await waitFor("the next to wait", async () => (await worker.counters()).held === before + 6);
    await worker.route([{ stable: app.arm("rel_1"), ...holding(20_000) }]);
    expect((await next).status).toBe(200);
  });

  it("keeps nothing for a service that has never had a release", async () => {
    await worker.route([{ stable: null, ...holding(20_000) }]);
    expect((await fetch(worker.url)).status).toBe(503);
  });
});

describe.each(TEST_ENGINES)("a proxy worker (%s), for a service under maintenance,", (engine) => {
  let worker: TestWorker;
  let app: TestUpstream;

  beforeAll(async () => {
    worker = await startTestWorker({ engine });
    app = await startUpstream((_request, response) => response.end("served"));
    await worker.route([{ stable: app.arm("rel_1"), maintenance: { retryAfterMs: 90_000 } }]);
  });
  afterAll(async () => {
    await worker.stop();
    await app.stop();
  });

  it.each([
    ["text/html,application/xhtml+xml;q=0.9", "text/html; charset=utf-8", /<h1>Under maintenance<\/h1>/],
    ["*/*", "application/problem+json", /"status":503/],
  ])("answers a client that accepts %s with %s", async (accept, type, words) => {
    const before = await worker.counters();
    const answer = await fetch(worker.url, { headers: { accept } });
    const { headers } = answer;
    expect([answer.status, headers.get("retry-after"), headers.get("content-type")]).toEqual([
      503,
      "90",
      type,
    ]);
    expect(await answer.text()).toMatch(words);
    const after = await worker.counters();
    expect(after.refused["maintenance"]).toBe((before.refused["maintenance"] ?? 0) + 1);
    expect([after.lost, after.arms]).toEqual([before.lost, before.arms]);
  });
});
