import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { connect, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { waitFor } from "../testing/wait-for.ts";
import { acceptWebSocket, echoWebSocket, writeFrame, type Frame } from "../testing/web-socket-server.ts";
import {
  sendRaw,
  startTestWorker,
  startUpstream,
  type TestUpstream,
  type TestWorker,
} from "../testing/worker.ts";
import type { WorkerService } from "./worker-protocol.ts";

const HANDSHAKE =
  "connection: upgrade\r\nsec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n";

/** What a client met, in order. */
interface Met {
  socket: WebSocket;
  messages: unknown[];
  closed: Promise<CloseEvent>;
}

async function open(url: string, protocols: string[] = []): Promise<Met> {
  const socket = new WebSocket(url.replace("http:", "ws:"), protocols);
  socket.binaryType = "arraybuffer";
  const messages: unknown[] = [];
  socket.addEventListener("message", ({ data }) => messages.push(data));
  const closed = new Promise<CloseEvent>((resolve) => socket.addEventListener("close", resolve));
  await new Promise((resolve, reject) => {
    socket.addEventListener("open", resolve);
    socket.addEventListener("error", () => reject(new Error("the WebSocket was refused")));
  });
  return { socket, messages, closed };
}

describe("a proxy worker, asked for another protocol,", () => {
  let worker: TestWorker;
  let app: TestUpstream;
  let frames: Frame[];
  let ended: number;
  let last: Duplex | null;
  let asked: IncomingMessage | null;

  beforeAll(async () => {
    app = await startUpstream((request, response) => response.end(`plain ${request.method}`));
    app.server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      last = socket;
      asked = request;
      socket.on("close", () => (ended += 1));
      if (request.url === "/refused")
        return void socket.end("HTTP/1.1 403 Forbidden\r\ncontent-length: 2\r\n\r\nno");
      if (request.url === "/lines") {
        socket.write(
          "HTTP/1.1 101 Switching Protocols\r\nupgrade: lines\r\nconnection: upgrade\r\n\r\nfirst\n",
        );
        if (head.length > 0) socket.unshift(head);
        return void socket.on("error", () => {}).pipe(socket);
      }
      if (request.url !== "/quiet") return echoWebSocket(request, socket);
      acceptWebSocket(request, socket, (frame) => frames.push(frame));
    });
    worker = await startTestWorker();
  });
  afterAll(async () => {
    await worker.stop();
    await app.stop();
  });
  beforeEach(async () => {
    [frames, ended, last, asked] = [[], 0, null, null];
    await route();
  });

  let turn = 0;
  /** The service with one instance, which has a new name every time. */
  async function route(changes: Partial<WorkerService> = {}): Promise<string> {
    turn += 1;
    await worker.route([{ stable: app.arm("rel_1", `ins_${turn}`), ...changes }]);
    return `ins_${turn}`;
  }

  /** Another instance takes its place. */
  async function replace(instance: string): Promise<void> {
    await worker.route([{ stable: app.arm("rel_1", "ins_next") }], [instance]);
  }

  function draining(drainTimeoutMs: number): Partial<WorkerService> {
    return { connections: { balance: "round-robin", drainTimeoutMs, holdTimeoutMs: 0 } };
  }

  it("joins a WebSocket with the instance, both ways and whatever the size", async () => {
    const { socket, messages, closed } = await open(`${worker.url}/echo`, ["chat"]);
    expect(socket.protocol).toBe("chat");
    const large = new Uint8Array(3_000_000).fill(7);
    socket.send("hello");
    socket.send(large);
    await waitFor("both messages", () => messages.length === 2);
    expect(messages[0]).toBe("hello");
    expect(Buffer.compare(Buffer.from(messages[1] as ArrayBuffer), large)).toBe(0);
    socket.close(4000, "enough");
    expect(await closed).toMatchObject({ code: 4000, reason: "enough", wasClean: true });
    expect(asked?.headers).toMatchObject({ "x-forwarded-for": "127.0.0.1", "x-forwarded-proto": "http" });
    await waitFor("the request to end", async () => (await worker.status()).inflight === 0);
  });

  it("assigns and counts it like any request, and as in flight while it lasts", async () => {
    const candidate = app.arm("rel_ws", "ins_ws");
    await route({ candidate, change: "chg_ws", weight: 10_000 });
    const { socket, closed } = await open(`${worker.url}/echo`);
    const { instances, streams } = await worker.status();
    expect([instances, streams]).toEqual([{ ins_ws: 1 }, { ins_ws: 1 }]);
    socket.close();
    await closed;
    const tally = (await worker.counters()).arms.find((each) => each.release === "rel_ws");
    expect(tally?.requests).toEqual([{ method: "GET", code: "1xx", count: 1 }]);
    expect(tally?.total.reduce((sum, each) => sum + each)).toBe(1);
    expect(tally?.errors.reduce((sum, each) => sum + each)).toBe(0);
    await waitFor("the request to end", async () => (await worker.status()).inflight === 0);
  });

  it("passes on what is said before the answer, and an answer that refuses", async () => {
    const socket = connect(worker.port, "127.0.0.1").setEncoding("latin1");
    let heard = "";
    socket.on("data", (chunk) => (heard += chunk));
    socket.write("GET /lines HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: lines\r\n\r\nearly\n");
    await waitFor("the echo", () => heard.endsWith("first\nearly\n"));
    expect(heard).toMatch(/^HTTP\/1.1 101 Switching Protocols\r\n/);
    socket.end();
    await once(socket, "close");
    const refused = await sendRaw(
      worker.port,
      `GET /refused HTTP/1.1\r\nhost: a\r\nupgrade: websocket\r\n${HANDSHAKE}\r\n`,
    );
    expect(refused).toMatch(/^HTTP\/1.1 403 Forbidden\r\n.*no$/s);
  });

  it("says in HTTP why it cannot", async () => {
    await worker.route([{ stable: { release: "rel_none", instances: [] } }]);
    const answer = await sendRaw(
      worker.port,
      `GET / HTTP/1.1\r\nhost: a\r\nupgrade: websocket\r\n${HANDSHAKE}\r\n`,
    );
    expect(answer).toMatch(/^HTTP\/1.1 503 .*proxy-status: mainstay; error=destination_unavailable/s);
  });

  it.each([
    [
      "to HTTP/2",
      "GET / HTTP/1.1\r\nhost: a\r\nupgrade: h2c\r\nconnection: upgrade, close\r\n\r\n",
      "plain GET",
    ],
    [
      "with a body",
      "POST / HTTP/1.1\r\nhost: a\r\nupgrade: websocket\r\nconnection: upgrade, close\r\ncontent-length: 2\r\n\r\nab",
      "plain POST",
    ],
    [
      "behind another one that is not answered yet",
      "GET / HTTP/1.1\r\nhost: a\r\n\r\n" +
        "GET /b HTTP/1.1\r\nhost: a\r\nupgrade: websocket\r\nconnection: upgrade, close\r\n\r\n",
      "plain GETHTTP/1.1 200 .*plain GET",
    ],
  ])("serves a request %s as a plain one", async (_what, bytes, expected) => {
    expect(await sendRaw(worker.port, bytes)).toMatch(new RegExp(`^HTTP/1.1 200 .*${expected}$`, "s"));
  });

  it("ends the instance's connection with the client's, and the client's with the instance's", async () => {
    const first = await open(`${worker.url}/quiet`);
    last?.destroy();
    expect(await first.closed).toMatchObject({ code: 1006 });
    const socket = connect(worker.port, "127.0.0.1");
    socket.write("GET /lines HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: lines\r\n\r\n");
    await once(socket, "data");
    socket.resetAndDestroy();
    await waitFor("both to be over", () => ended === 2);
    await waitFor("the requests to end", async () => (await worker.status()).inflight === 0);
  });

  it("keeps a WebSocket of an instance that is being replaced, then closes it with 1001", async () => {
    const before = (await worker.counters()).sentAway["websocket"] ?? 0;
    const instance = await route(draining(400));
    const { socket, messages, closed } = await open(`${worker.url}/echo`);
    await replace(instance);
    socket.send("still here");
    await waitFor("the echo", () => messages.length === 1);
    expect(await closed).toMatchObject({
      code: 1001,
      reason: "the service is being replaced",
      wasClean: true,
    });
    await waitFor("the instance to be left", async () => !(instance in (await worker.status()).instances));
    expect((await worker.counters()).sentAway["websocket"]).toBe(before + 1);
    expect((await worker.counters()).lost).toEqual({ no_instance: 1 });
  });

  it("keeps it for good when the instance is wanted again in time", async () => {
    const instance = await route(draining(300));
    const { socket, messages, closed } = await open(`${worker.url}/echo`);
    await replace(instance);
    await worker.route([{ stable: app.arm("rel_1", instance), ...draining(300) }]);
    const other = await route(draining(300));
    const second = await open(`${worker.url}/echo`);
    await worker.route([{ stable: app.arm("rel_1", instance) }], [other]);
    expect(await second.closed).toMatchObject({ code: 1001 });
    socket.send("still here");
    await waitFor("the echo", () => messages.length === 1);
    socket.close();
    await closed;
  });

  it("closes it between two frames, and lets the instance hear the client's own close", async () => {
    const instance = await route(draining(0));
    const { messages, closed } = await open(`${worker.url}/quiet`);
    const message = writeFrame({ opcode: 1, payload: Buffer.from("a long message") });
    last?.write(message.subarray(0, 5));
    await replace(instance);
    await waitFor("the goodbye", async () => (await worker.status()).streams[instance] === 1);
    last?.write(Buffer.concat([message.subarray(5), message]));
    expect(await closed).toMatchObject({ code: 1001, wasClean: true });
    expect(messages).toEqual(["a long message"]);
    await waitFor("the client's close frame", () => frames.length === 1);
    expect([frames[0]?.opcode, frames[0]?.payload.readUInt16BE(0)]).toEqual([8, 1001]);
  });

  it("cuts a client that does not answer the close frame, and ends any other protocol", async () => {
    const instance = await route(draining(0));
    const deaf = connect(worker.port, "127.0.0.1");
    deaf.write(`GET /quiet HTTP/1.1\r\nhost: a\r\nupgrade: websocket\r\n${HANDSHAKE}\r\n`);
    const lines: Socket = connect(worker.port, "127.0.0.1");
    lines.write("GET /lines HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: lines\r\n\r\n");
    await Promise.all([once(deaf, "data"), once(lines, "data")]);
    const over = Promise.all([once(deaf.resume(), "close"), once(lines.resume(), "end")]);
    await replace(instance);
    await over;
    lines.destroy();
    await waitFor("the instance to be left", async () => !(instance in (await worker.status()).instances));
  });

  it("closes WebSockets with 1001 before it stops itself", async () => {
    const own = await startTestWorker({ drainTimeoutMs: 200 });
    await own.route([{ stable: app.arm("rel_1"), ...draining(60_000) }]);
    const { closed } = await open(`${own.url}/echo`);
    const exit = once(own.process(), "exit");
    own.process().kill("SIGTERM");
    expect(await closed).toMatchObject({ code: 1001, wasClean: true });
    expect(await exit).toEqual([0, null]);
    await own.stop();
  });
});
