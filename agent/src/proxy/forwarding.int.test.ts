import { once } from "node:events";
import { Agent, request as httpRequest, type IncomingMessage, type ServerResponse } from "node:http";
import { connect } from "node:net";
import { buffer, text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  sendRaw,
  startTestWorker,
  startUpstream,
  type TestUpstream,
  type TestWorker,
} from "../testing/worker.ts";
import { waitFor } from "../testing/wait-for.ts";

const CHUNK = Buffer.alloc(65_536);
/** More than the socket buffers of this machine's kernel hold on the way. */
const ENDLESS_LIMIT_BYTES = 64 * 1024 * 1024;

/** Resolves when the number has stayed the same for a while. */
async function untilStill(read: () => number): Promise<void> {
  let before = -1;
  let same = 0;
  await waitFor("the number to stay", () => {
    same = read() === before && before > 0 ? same + 1 : 0;
    before = read();
    return same > 10;
  });
}

describe("a proxy worker forwards", () => {
  let worker: TestWorker;
  let app: TestUpstream;

  let sent = 0;

  function sendEndlessly(response: ServerResponse): void {
    while (!response.destroyed) {
      sent += CHUNK.length;
      if (!response.write(CHUNK)) return void response.once("drain", () => sendEndlessly(response));
    }
  }

  beforeAll(async () => {
    worker = await startTestWorker();
    app = await startUpstream((request, response) => {
      const url = request.url ?? "";
      if (url === "/headers") return void response.end(JSON.stringify(request.rawHeaders));
      if (url === "/target") return void response.end(`${request.headers.host} ${request.url}`);
      if (url === "/echo") return void request.pipe(response);
      if (url === "/cookies") response.setHeader("set-cookie", ["a=1", "b=2"]);
      if (url === "/hop") {
        response.writeHead(200, {
          connection: "x-secret",
          "x-secret": "1",
          "proxy-connection": "x",
          "x-open": "2",
        });
        return void response.end("hop");
      }
      if (url === "/204") return void response.writeHead(204).end();
      if (url === "/304") return void response.writeHead(304, { etag: '"1"' }).end();
      if (url === "/early") {
        response.writeEarlyHints({ link: "</a.css>; rel=preload" });
        return void response.end("hinted");
      }
      if (url === "/reject") return void response.writeHead(413).end("too large");
      if (url === "/events") {
        response.writeHead(200, { "content-type": "text/event-stream" });
        response.flushHeaders();
        request.on("close", () => response.end());
        return;
      }
      if (url === "/trailers") {
        response.writeHead(200, { trailer: "x-sum" });
        response.write("body");
        response.addTrailers({ "x-sum": "1" });
        return void response.end();
      }
      if (url === "/deaf") return;
      if (url === "/endless") return sendEndlessly(response);
      const answer = `${request.method} ${request.url}`;
      response.setHeader("content-length", answer.length);
      response.end(answer);
    });
    await worker.route([{ stable: app.arm("rel_1") }]);
  });
  afterAll(async () => {
    await worker.stop();
    await app.stop();
  });

  async function ask(
    path: string,
    options: Parameters<typeof httpRequest>[1] & { body?: string | Buffer } = {},
  ): Promise<IncomingMessage> {
    const { body, ...rest } = options;
    const outgoing = httpRequest(`${worker.url}${path}`, { agent: false, ...rest });
    outgoing.end(body);
    const [response] = (await once(outgoing, "response")) as [IncomingMessage];
    return response;
  }

  it("requests without the headers of one connection, and says for whom", async () => {
    const headers = {
      connection: "x-mine",
      "x-mine": "1",
      te: "trailers",
      "x-kept": "2",
      "x-forwarded-for": "1.2.3.4",
      host: "shop.test:8080",
    };
    const raw = JSON.parse(await text(await ask("/headers", { headers }))) as string[];
    const seen = new Map(
      raw.flatMap((name, index) => (index % 2 === 0 ? [[name.toLowerCase(), raw[index + 1]]] : [])),
    );
    expect(seen.get("x-kept")).toBe("2");
    expect(seen.has("x-mine")).toBe(false);
    expect(seen.has("te")).toBe(false);
    expect(seen.get("host")).toBe("shop.test:8080");
    expect(seen.get("x-forwarded-for")).toBe("127.0.0.1");
    expect(seen.get("x-forwarded-proto")).toBe("http");
    expect(seen.get("x-forwarded-host")).toBe("shop.test:8080");
    expect(raw.filter((name) => name.toLowerCase() === "x-forwarded-for")).toHaveLength(1);
  });

  it("answers without the headers of one connection, and each cookie on its own", async () => {
    const hop = await ask("/hop");
    expect([hop.headers["x-open"], hop.headers["x-secret"], hop.headers["proxy-connection"]]).toEqual([
      "2",
      undefined,
      undefined,
    ]);
    hop.resume();
    const cookies = await ask("/cookies");
    expect(cookies.headers["set-cookie"]).toEqual(["a=1", "b=2"]);
    cookies.resume();
  });

  it("bodies of known and unknown length in both directions", async () => {
    const body = Buffer.from("é".repeat(300_000));
    const known = await ask("/echo", { method: "POST", headers: { "content-length": body.length }, body });
    expect((await buffer(known)).equals(body)).toBe(true);
    const chunked = await ask("/echo", { method: "PUT", headers: { "transfer-encoding": "chunked" }, body });
    expect((await buffer(chunked)).equals(body)).toBe(true);
    const empty = await ask("/echo", { method: "POST", headers: { "content-length": 0 } });
    expect(await text(empty)).toBe("");
  });

  it("HEAD, 204 and 304 without a body, and keeps the connection", async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const head = await ask("/x", { method: "HEAD", agent });
    const { localPort } = head.socket;
    expect([head.statusCode, await text(head)]).toEqual([200, ""]);
    const none = await ask("/204", { agent });
    expect([none.statusCode, await text(none)]).toEqual([204, ""]);
    const unchanged = await ask("/304", { agent });
    expect(unchanged.socket.localPort).toBe(localPort);
    expect([unchanged.statusCode, unchanged.headers.etag, await text(unchanged)]).toEqual([304, '"1"', ""]);
    agent.destroy();
  });

  it("answers 100 Continue before the body and early hints before the answer", async () => {
    const headers = { expect: "100-continue", "content-length": 2 };
    const outgoing = httpRequest(`${worker.url}/echo`, { agent: false, method: "POST", headers });
    outgoing.flushHeaders();
    await once(outgoing, "continue");
    outgoing.end("ok");
    const [response] = (await once(outgoing, "response")) as [IncomingMessage];
    expect(await text(response)).toBe("ok");
    const hinted = httpRequest(`${worker.url}/early`, { agent: false }).end();
    const answered = once(hinted, "response") as Promise<[IncomingMessage]>;
    const [information] = (await once(hinted, "information")) as [
      { statusCode: number; headers: IncomingMessage["headers"] },
    ];
    expect([information.statusCode, information.headers["link"]]).toEqual([103, "</a.css>; rel=preload"]);
    expect(await text((await answered)[0])).toBe("hinted");
  });

  it("the head of a stream before its first byte, and the client's leaving", async () => {
    const before = (await worker.counters()).aborted;
    const events = await ask("/events");
    expect(events.headers["content-type"]).toBe("text/event-stream");
    await waitFor("the request to be in flight", async () => (await worker.status()).inflight === 1);
    events.destroy();
    await waitFor("the instance to be told", async () => (await worker.status()).inflight === 0);
    expect((await worker.counters()).aborted).toBe(before + 1);
  });

  it("an answer no faster than the client reads it", async () => {
    const socket = connect(worker.port, "127.0.0.1").pause();
    socket.write("GET /endless HTTP/1.1\r\nhost: a\r\n\r\n");
    await untilStill(() => sent);
    expect(sent).toBeLessThan(ENDLESS_LIMIT_BYTES);
    socket.destroy();
  });

  it("a body no faster than the instance reads it", async () => {
    const outgoing = httpRequest(`${worker.url}/deaf`, { agent: false, method: "POST" });
    outgoing.on("error", () => {});
    let written = 0;
    const write = () => {
      while (written < 4 * ENDLESS_LIMIT_BYTES) {
        written += CHUNK.length;
        if (!outgoing.write(CHUNK)) return void outgoing.once("drain", write);
      }
    };
    write();
    await untilStill(() => written);
    expect(written).toBeLessThan(ENDLESS_LIMIT_BYTES);
    outgoing.destroy();
  });

  it("drops trailers", async () => {
    const answer = await sendRaw(
      worker.port,
      "GET /trailers HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n",
    );
    expect(answer).toContain("body");
    expect(answer).not.toContain("x-sum");
  });

  it("to HTTP/1.0 clients, and with an absolute target", async () => {
    expect(await sendRaw(worker.port, "GET /x HTTP/1.0\r\nhost: a\r\n\r\n")).toMatch(
      /^HTTP\/1.1 200 .*GET \/x$/s,
    );
    const absolute = "GET http://other.test/target HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
    expect(await sendRaw(worker.port, absolute)).toContain("other.test /target");
  });

  it("an early refusal while the body is still on its way, and then the next request", async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const body = Buffer.alloc(4 * 1024 * 1024);
    const refused = await ask("/reject", {
      method: "POST",
      agent,
      headers: { "content-length": body.length },
      body,
    });
    expect([refused.statusCode, await text(refused)]).toEqual([413, "too large"]);
    const next = await ask("/next", { agent });
    expect(await text(next)).toBe("GET /next");
    agent.destroy();
  });

  it.each([
    [
      "both a length and a coding",
      "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    ],
    ["two lengths", "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\ncontent-length: 5\r\n\r\nabcde"],
    ["two hosts", "GET / HTTP/1.1\r\nhost: a\r\nhost: b\r\nconnection: close\r\n\r\n"],
    ["no host", "GET / HTTP/1.1\r\nconnection: close\r\n\r\n"],
    ["a host that is none", "GET / HTTP/1.1\r\nhost: a/b\r\nconnection: close\r\n\r\n"],
    ["a folded header", "GET / HTTP/1.1\r\nhost: a\r\nx: 1\r\n  2\r\nconnection: close\r\n\r\n"],
    ["a space before the colon", "GET / HTTP/1.1\r\nhost : a\r\n\r\n"],
    ["a bare line feed", "GET / HTTP/1.1\nhost: a\n\n"],
    ["a target that is no path", "OPTIONS * HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n"],
    [
      "a chunk size that is none",
      "POST /echo HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n0x2\r\nab\r\n0\r\n\r\n",
    ],
  ])("nothing of a request with %s", async (_what, bytes) => {
    expect(await sendRaw(worker.port, bytes)).toMatch(/^HTTP\/1.1 400 /);
  });

  it("no other coding than chunked, but says so", async () => {
    const coded =
      "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: gzip, chunked\r\nconnection: close\r\n\r\n0\r\n\r\n";
    expect(await sendRaw(worker.port, coded)).toMatch(/^HTTP\/1.1 501 /);
  });
});
