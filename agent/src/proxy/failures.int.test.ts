import { once } from "node:events";
import { createServer as createTcpServer, type Server as TcpServer, type Socket } from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  startTestWorker,
  startUpstream,
  TEST_ENGINES,
  type TestUpstream,
  type TestWorker,
} from "../testing/worker.ts";
import { waitFor } from "../testing/wait-for.ts";
import type { ArmTally, WorkerArm } from "./worker-protocol.ts";

/** Nothing listens there: the port of a closed server. */
async function closedPort(): Promise<number> {
  const app = await startUpstream(() => {});
  await app.stop();
  return app.port;
}

/** A server that does with every connection what it is told, without speaking HTTP by itself. */
async function startTcp(onRequest: (socket: Socket) => void): Promise<{ port: number; server: TcpServer }> {
  const server = createTcpServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", () => onRequest(socket));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  return { server, port: typeof address === "object" && address ? address.port : 0 };
}

function sum(values: number[] = []): number {
  return values.reduce((total, value) => total + value, 0);
}

describe.each(TEST_ENGINES)("a proxy worker (%s), when an instance fails,", (engine) => {
  let worker: TestWorker;
  let app: TestUpstream;
  let resetting: Awaited<ReturnType<typeof startTcp>>;
  let garbling: Awaited<ReturnType<typeof startTcp>>;
  let breaking: Awaited<ReturnType<typeof startTcp>>;
  let closed: number;
  let round = 0;

  beforeAll(async () => {
    worker = await startTestWorker({ engine });
    app = await startUpstream((request, response) => {
      if (request.url === "/never") return;
      if (request.url === "/500") return void response.writeHead(500).end();
      response.end(`well ${request.method}`);
    });
    resetting = await startTcp((socket) => socket.resetAndDestroy());
    garbling = await startTcp((socket) => socket.end("NOT HTTP\r\n\r\n"));
    breaking = await startTcp((socket) => {
      socket.write("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf", () => socket.resetAndDestroy());
    });
    closed = await closedPort();
  });
  afterAll(async () => {
    await worker.stop();
    await app.stop();
    for (const each of [resetting, garbling, breaking]) each.server.close();
  });
  beforeEach(() => void (round += 1));

  /** An arm of a release that no other test counts into. */
  function arm(name: string, ...ports: number[]): WorkerArm {
    return {
      release: `${name}_${round}`,
      instances: ports.map((port, index) => ({ id: `${name}_${round}_${index}`, port })),
    };
  }

  /** On a connection of its own: on a later request HAProxy would hang up where an instance does. */
  function ask(path: string, init: RequestInit = {}): Promise<Response> {
    return fetch(`${worker.url}${path}`, { ...init, headers: { connection: "close" } });
  }

  /** Once so many requests of it have ended. */
  function tallyOf(release: string, ended = 1): Promise<ArmTally> {
    return waitFor("the requests to be counted", async () => {
      const tally = (await worker.counters()).arms.find((each) => each.release === release);
      return tally && sum(tally.requests.map((each) => each.count)) >= ended ? tally : null;
    });
  }

  async function lost(reason: string): Promise<number> {
    return (await worker.counters()).lost[reason] ?? 0;
  }

  it("asks another one of the arm when the connection is refused; what counts is the outcome", async () => {
    const stable = arm("a", closed, app.port);
    await worker.route([{ stable }]);
    for (let index = 0; index < 4; index += 1) {
      const answer = await ask("/", { method: "POST", body: "kept" });
      expect([answer.status, await answer.text()]).toEqual([200, "well POST"]);
    }
    const tally = await tallyOf(stable.release, 4);
    expect([sum(tally.total), sum(tally.errors)]).toEqual([4, 0]);
    // Once: then the instance is out of the rotation for a while. HAProxy asks it before any request does.
    if (engine === "node") expect([tally.retried, tally.ejected]).toEqual([1, 1]);
    expect(tally.requests).toEqual([{ method: "POST", code: "2xx", count: 4 }]);
  });

  it("says that the platform failed when all refuse", async () => {
    const before = await lost("refused");
    const stable = arm("b", closed, closed, closed, closed);
    await worker.route([{ stable }]);
    const answer = await ask("/");
    // After three attempts HAProxy says 503, in its own words.
    const status = engine === "node" ? [502] : [502, 503];
    expect(status).toContain(answer.status);
    expect(answer.headers.get("proxy-status")).toBe("mainstay; error=connection_refused");
    expect(await answer.json()).toMatchObject({
      status: answer.status,
      title: "Every instance refused the connection",
    });
    expect(sum((await tallyOf(stable.release)).errors)).toBe(1);
    expect(await lost("refused")).toBe(before + 1);
  });

  it("falls back from the candidate to the stable arm, and holds it against the candidate", async () => {
    const stable = arm("s", app.port);
    const candidate = arm("c", closed);
    await worker.route([{ stable, candidate, change: "chg", weight: 10_000 }]);
    const answer = await ask("/");
    expect([answer.status, await answer.text()]).toEqual([200, "well GET"]);
    const [failed, served] = [await tallyOf(candidate.release, 0), await tallyOf(stable.release)];
    expect([sum(failed.total), sum(failed.errors), sum(failed.latency.flat())]).toEqual([1, 1, 0]);
    expect([sum(served.total), sum(served.errors)]).toEqual([1, 0]);
  });

  it("falls back from a candidate without instances too", async () => {
    const stable = arm("s", app.port);
    const candidate = arm("c");
    await worker.route([{ stable, candidate, change: "chg", weight: 10_000 }]);
    expect((await ask("/")).status).toBe(200);
    expect(sum((await tallyOf(candidate.release, 0)).errors)).toBe(1);
  });

  it("repeats what is idempotent once, on another instance of the same release and on no other", async () => {
    const stable = arm("s", app.port);
    const candidate = arm("c", resetting.port, resetting.port, app.port);
    await worker.route([{ stable, candidate, change: "chg", weight: 10_000 }]);
    const statuses = [];
    for (let index = 0; index < 3; index += 1) statuses.push((await ask("/")).status);
    // One after the other: cut and cut again; served; cut, then served by the next.
    const [tried, spared] = [await tallyOf(candidate.release, 3), await tallyOf(stable.release, 0)];
    expect([sum(tried.total), sum(spared.total)]).toEqual([3, 0]);
    if (engine === "node")
      expect([statuses, sum(tried.errors), tried.retried]).toEqual([[502, 200, 200], 1, 2]);
    // HAProxy repeats up to twice, so the good one is always reached.
    else expect([statuses, sum(tried.errors)]).toEqual([[200, 200, 200], 0]);
  });

  it("never repeats what is not idempotent once it was sent", async () => {
    const before = (await worker.counters()).lost;
    const stable = arm("p", resetting.port, resetting.port);
    await worker.route([{ stable }]);
    const answer = await ask("/", { method: "POST", body: "once" });
    expect([answer.status, answer.headers.get("proxy-status")]).toEqual([
      502,
      "mainstay-upstream; error=connection_terminated",
    ]);
    expect(sum((await tallyOf(stable.release)).total)).toBe(1);
    expect((await worker.counters()).lost).toEqual(before);
  });

  it("calls an answer that is not HTTP by its name", async () => {
    await worker.route([{ stable: arm("g", garbling.port) }]);
    const answer = await ask("/");
    expect([answer.status, answer.headers.get("proxy-status")]).toEqual([
      502,
      `mainstay-upstream; error=${engine === "node" ? "http_protocol_error" : "connection_terminated"}`,
    ]);
  });

  it("waits for an answer no longer than it is told to", async () => {
    const stable = arm("t", app.port);
    await worker.route([{ stable, requestTimeoutMs: 200 }]);
    const answer = await ask("/never");
    expect([answer.status, answer.headers.get("proxy-status")]).toEqual([
      504,
      "mainstay-upstream; error=http_response_timeout",
    ]);
    const tally = await tallyOf(stable.release);
    expect([sum(tally.errors), sum(tally.latency.flat())]).toEqual([1, 1]);
  });

  it("cuts the client off when the answer breaks off, and counts one error", async () => {
    const stable = arm("h", breaking.port);
    await worker.route([{ stable }]);
    const answer = await ask("/");
    await expect(answer.text()).rejects.toThrow();
    const tally = await tallyOf(stable.release);
    expect([sum(tally.total), sum(tally.errors)]).toEqual([1, 1]);
  });

  it("counts a 5xx as the application's error and passes it on", async () => {
    const stable = arm("e", app.port);
    await worker.route([{ stable }]);
    const answer = await ask("/500");
    expect([answer.status, answer.headers.get("proxy-status")]).toEqual([500, null]);
    expect(sum((await tallyOf(stable.release)).errors)).toBe(1);
  });

  it("does not count the client's own leaving as an error", async () => {
    const stable = arm("l", app.port);
    await worker.route([{ stable }]);
    const leaving = new AbortController();
    const pending = ask("/never", { signal: leaving.signal });
    await waitFor("the request to be in flight", async () => (await worker.status()).inflight === 1);
    leaving.abort();
    await expect(pending).rejects.toThrow();
    await waitFor("the request to end", async () => (await worker.status()).inflight === 0);
    const tally = await tallyOf(stable.release);
    expect([sum(tally.total), sum(tally.errors)]).toEqual([0, 0]);
    expect(tally.requests).toEqual([{ method: "GET", code: "none", count: 1 }]);
  });

  it("says that nobody is there when nobody is", async () => {
    const before = await lost("no_instance");
    await worker.route([{ stable: arm("n") }]);
    const answer = await ask("/");
    expect([answer.status, answer.headers.get("proxy-status")]).toEqual([
      503,
      "mainstay; error=destination_unavailable",
    ]);
    expect(await lost("no_instance")).toBe(before + 1);
  });

  it("answers 404 for what is not routed, and does not call it lost", async () => {
    const before = await worker.counters();
    await worker.route([{ routes: [{ host: "shop.test", path: "/" }], stable: arm("r", app.port) }]);
    const answer = await ask("/");
    expect([answer.status, answer.headers.get("proxy-status")]).toEqual([404, null]);
    const after = await worker.counters();
    expect([after.unrouted, after.lost]).toEqual([before.unrouted + 1, before.lost]);
  });

  it("takes the blame for what an instance that is being stopped leaves unanswered", async () => {
    const before = await lost("drain_cut");
    const stopping = await startUpstream(() => {});
    const stable = arm("d", stopping.port);
    await worker.route([{ stable }]);
    const pending = ask("/", { method: "POST", body: "x" });
    await waitFor(
      "the request to be in flight",
      async () => (await worker.status()).instances[stable.instances[0]?.id ?? ""] === 1,
    );
    await worker.route([{ stable: arm("d2", app.port) }], [stable.instances[0]?.id ?? ""]);
    await stopping.stop();
    const answer = await pending;
    expect([answer.status, answer.headers.get("proxy-status")]).toEqual([
      502,
      // HAProxy answers before anybody knows that the instance was on its way out.
      `mainstay${engine === "node" ? "" : "-upstream"}; error=connection_terminated`,
    ]);
    await waitFor("the loss to be counted", async () => (await lost("drain_cut")) === before + 1);
    expect(sum((await tallyOf(stable.release, 0)).errors)).toBe(0);
  });
});
