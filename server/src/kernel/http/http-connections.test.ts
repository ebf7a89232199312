import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import { afterEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { createTestHttp, KEY } from "../../../../tests/support/http.ts";
import type { Http } from "./index.ts";

const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

async function start(
  config: Parameters<typeof createTestHttp>[0],
  addRoutes: (http: Http) => void = () => {},
) {
  const server = createTestHttp(config);
  addRoutes(server.http);
  await server.http.start();
  stops.push(() => server.http.stop());
  return { ...server, url: server.http.address() };
}

const get = (url: string, signal?: AbortSignal) =>
  fetch(url, { headers: KEY, ...(signal ? { signal } : {}) });

/** A connection on which a test says what it likes. */
function open(url: string): Socket {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  stops.push(() => socket.destroy());
  return socket;
}

/** Something that happens later, told by one side and awaited by the other. */
function gate<T = void>() {
  return Promise.withResolvers<T>();
}

/** GET /api/v1/work: tells when it was entered, and answers when it is let go. */
function addWork(http: Http) {
  const entered = gate<AbortSignal>();
  const leave = gate();
  http.route({
    method: "GET",
    url: "/api/v1/work",
    permission: "services.read",
    summary: "Work",
    response: z.object({ done: z.boolean() }),
    handler: async ({ signal }) => {
      entered.resolve(signal);
      await leave.promise;
      return { done: true };
    },
  });
  return { entered: entered.promise, leave: leave.resolve };
}

/** GET /api/v1/items as a stream of what the test makes. */
function addStream(http: Http, make: (signal: AbortSignal) => AsyncIterable<{ n: number }>): void {
  http.route({
    method: "GET",
    url: "/api/v1/items",
    permission: "releases.read",
    summary: "Items",
    stream: "ndjson",
    response: z.object({ n: z.number() }),
    handler: async ({ signal }) => make(signal),
  });
}

const whenAborted = (signal: AbortSignal) => (signal.aborted ? Promise.resolve() : once(signal, "abort"));

describe("a request that takes too long", () => {
  it("is answered as late, and its handler is told", async () => {
    const { url } = await start({ requestTimeout: 50 }, (http) => void (work = addWork(http)));
    const answer = await get(`${url}/api/v1/work`);
    expect([answer.status, await answer.json()]).toMatchObject([503, { code: "REQUEST_TIMEOUT" }]);
    expect((await work.entered).reason).toMatchObject({ code: "REQUEST_TIMEOUT" });
  });
  let work: ReturnType<typeof addWork>;

  it("to arrive is refused, and its connection closed", async () => {
    const { url } = await start({ requestTimeout: 100 });
    const socket = open(url);
    socket.write("POST /api/v1/x HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100\r\n");
    expect(await text(socket)).toMatch(/^HTTP\/1\.1 408 [\s\S]*"code":"REQUEST_INCOMPLETE"/);
  });
});

describe("a body that does not arrive", () => {
  const head = `POST /api/v1/things HTTP/1.1\r\nhost: localhost\r\nauthorization: ${KEY.authorization}\r\n`;
  const body = 'content-type: application/json\r\ncontent-length: 100\r\n\r\n{"a":';

  function addThings(http: Http): void {
    http.route({
      method: "POST",
      url: "/api/v1/things",
      permission: "services.write",
      summary: "Things",
      body: z.object({ a: z.int() }),
      response: z.object({}),
      handler: () => ({}),
    });
  }

  it("in time is refused once", async () => {
    const { url, log } = await start({ requestTimeout: 100 }, addThings);
    const socket = open(url);
    socket.write(head + body);
    const answer = await text(socket);
    expect(answer.match(/HTTP\/1\.1 \d+/g)).toEqual(["HTTP/1.1 408"]);
    expect(log.lines.filter(({ level }) => level === "error")).toEqual([]);
  });

  it("because the client hung up is nobody's error", async () => {
    const { http, url, log } = await start({}, addThings);
    const socket = open(url);
    socket.write(head + body);
    await once(socket, "connect");
    const inflight = async () => (await get(`${url}/metrics`)).text();
    while (!(await inflight()).includes("inflight_requests 2")) continue;
    socket.destroy();
    await http.stop();
    expect(log.lines.filter(({ level }) => level === "error" || level === "warn")).toEqual([]);
    expect(log.lines).toContainEqual(
      expect.objectContaining({ fields: expect.objectContaining({ path: "/api/v1/things", status: null }) }),
    );
  });
});

describe("what is no request", () => {
  it.each([
    ["nonsense", "hello\r\n\r\n", "this is not HTTP/1.1"],
    [
      "headers without end",
      `GET / HTTP/1.1\r\nx: ${"y".repeat(20_000)}\r\n\r\n`,
      "the headers are too large",
    ],
  ])("%s is refused with a problem document", async (_name, bytes, message) => {
    const { url } = await start({});
    const socket = open(url);
    socket.write(bytes);
    const answer = await text(socket);
    expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request\r\ncontent-type: application\/problem\+json\r\n/);
    expect(JSON.parse(answer.split("\r\n\r\n")[1] ?? "")).toMatchObject({
      errors: [{ path: "(request)", message }],
    });
  });
});

describe("a client that hangs up", () => {
  it("ends the signal of its handler, and counts as not answered", async () => {
    const { url, log, metrics } = await start({}, (http) => void (work = addWork(http)));
    const hangUp = new AbortController();
    const asked = get(`${url}/api/v1/work`, hangUp.signal).catch(() => "gone");
    const signal = await work.entered;
    hangUp.abort();
    expect(await asked).toBe("gone");
    await whenAborted(signal);
    expect(log.lines.at(-1)).toMatchObject({ level: "info", message: "request", fields: { status: null } });
    expect(await metrics.render()).toContain('route="/api/v1/work",code="none"} 1');
  });
  let work: ReturnType<typeof addWork>;
});

describe("a stream", () => {
  it("sends each item at once, as a line", async () => {
    const next = [gate(), gate()];
    const { url } = await start({}, (http) =>
      addStream(http, async function* () {
        yield { n: 1 };
        await next[0]?.promise;
        yield { n: 2 };
      }),
    );
    const answer = await get(`${url}/api/v1/items`);
    expect(answer.headers.get("content-type")).toBe("application/x-ndjson; charset=utf-8");
    expect(answer.headers.get("x-request-id")).toMatch(/^req_/);
    const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader();
    expect(await reader.read()).toEqual({ done: false, value: '{"n":1}\n' });
    next[0]?.resolve();
    expect(await reader.read()).toEqual({ done: false, value: '{"n":2}\n' });
    expect((await reader.read()).done).toBe(true);
  });

  it("shows its headers before there is an item", async () => {
    const { url } = await start({}, (http) =>
      addStream(http, async function* (signal) {
        await whenAborted(signal);
        yield* [];
      }),
    );
    expect((await get(`${url}/api/v1/items`)).status).toBe(200);
  });

  it("may last longer than a request", async () => {
    const next = gate();
    const { url } = await start({ requestTimeout: 50 }, (http) => {
      addWork(http);
      addStream(http, async function* () {
        await next.promise;
        yield { n: 1 };
      });
    });
    const answer = await get(`${url}/api/v1/items`);
    expect((await get(`${url}/api/v1/work`)).status).toBe(503);
    next.resolve();
    expect(await answer.text()).toBe('{"n":1}\n');
  });

  it("that is refused before its first item is a problem document", async () => {
    const { url } = await start({}, (http) =>
      addStream(http, () => {
        throw new Error("hunter2");
      }),
    );
    const answer = await get(`${url}/api/v1/items`);
    expect([answer.status, await answer.json()]).toMatchObject([500, { code: "INTERNAL" }]);
  });

  it("ends its source when the client hangs up", async () => {
    const ended = gate();
    const { url } = await start({}, (http) =>
      addStream(http, async function* (signal) {
        try {
          yield { n: 1 };
          await whenAborted(signal);
        } finally {
          ended.resolve();
        }
      }),
    );
    const hangUp = new AbortController();
    await get(`${url}/api/v1/items`, hangUp.signal);
    hangUp.abort();
    await ended.promise;
  });

  it("whose source fails is cut off, not ended", async () => {
    const { url, log } = await start({}, (http) =>
      addStream(http, async function* () {
        yield { n: 1 };
        throw new Error("source gone");
      }),
    );
    const answer = await get(`${url}/api/v1/items`);
    await expect(answer.text()).rejects.toThrow();
    expect(log.lines).toContainEqual(expect.objectContaining({ level: "error", message: "stream cut off" }));
  });
});

describe("the stop", () => {
  it("lets requests under way finish, closes their connections and takes no new ones", async () => {
    const { http, url } = await start({}, (each) => void (work = addWork(each)));
    const asked = get(`${url}/api/v1/work`);
    await work.entered;
    const stopped = http.stop();
    await expect(get(`${url}/healthz`)).rejects.toThrow();
    work.leave();
    const answer = await asked;
    expect([answer.status, answer.headers.get("connection")]).toEqual([200, "close"]);
    await stopped;
  });
  let work: ReturnType<typeof addWork>;

  it("does not wait for connections on which nothing happens", async () => {
    const { http, url } = await start({ shutdownTimeout: 60_000 });
    const silent = open(url);
    await once(silent, "connect");
    await (await get(`${url}/healthz`)).text();
    await http.stop();
  });

  it("ends streams cleanly", async () => {
    const { http, url } = await start({ shutdownTimeout: 60_000 }, (each) =>
      addStream(each, async function* (signal) {
        yield { n: 1 };
        await whenAborted(signal);
      }),
    );
    const answer = await get(`${url}/api/v1/items`);
    await http.stop();
    expect(await answer.text()).toBe('{"n":1}\n');
  });

  it("answers what does not finish in time, and tells its handler", async () => {
    const { http, url } = await start({ shutdownTimeout: 300 }, (each) => void (work = addWork(each)));
    const asked = get(`${url}/api/v1/work`);
    const signal = await work.entered;
    await http.stop();
    const answer = await asked;
    expect([answer.status, await answer.json()]).toMatchObject([503, { code: "SHUTTING_DOWN" }]);
    expect(signal.reason).toMatchObject({ code: "SHUTTING_DOWN" });
  });
});

describe("the start", () => {
  it("on a port that is taken says so", async () => {
    const { url } = await start({});
    const { port } = new URL(url);
    const second = createTestHttp({ port: Number(port) });
    await expect(second.http.start()).rejects.toMatchObject({
      code: "ADDRESS_IN_USE",
      message: `127.0.0.1:${port} is already in use`,
    });
    await second.http.stop();
  });
});
