import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createRecorder } from "../testing/recorder.ts";
import { waitFor } from "../testing/wait-for.ts";
import { createConnect } from "./connect.ts";
import { createPlainClient, type PlainClient } from "./plain-client.ts";

const HEAD = "GET / HTTP/1.1\r\nhost: x\r\n\r\n";
const OK = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

describe("the client of plain requests", () => {
  let server: Server;
  let client: PlainClient;
  let sockets: Socket[];
  /** What an instance does with its next request. */
  let answer: (socket: Socket, text: string) => void;

  beforeEach(async () => {
    sockets = [];
    answer = (socket) => socket.write(OK);
    server = createServer((socket) => {
      sockets.push(socket);
      socket.on("error", () => {}).on("data", (bytes) => answer(socket, bytes.toString("latin1")));
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    client = clientOf({ maxConnections: 10 });
  });
  afterEach(() => {
    client.destroy();
    for (const each of sockets) each.destroy();
    server.close();
  });

  function clientOf({ maxConnections }: { maxConnections: number }): PlainClient {
    const address = server.address();
    const port = typeof address === "object" && address ? address.port : 0;
    return createPlainClient({
      connect: createConnect(port),
      maxConnections,
      nowMs: () => performance.now(),
    });
  }

  /** Sends a request; the recorder of what comes back. */
  function get(options: { timeoutMs?: number; onData?: Parameters<typeof createRecorder>[0] } = {}) {
    const recorder = createRecorder(options.onData);
    client.send({ head: HEAD, timeoutMs: options.timeoutMs ?? 5000, handler: recorder.handler });
    return recorder;
  }

  it("sends the bytes it is given and uses a connection again", async () => {
    const seen: string[] = [];
    answer = (socket, text) => {
      seen.push(text);
      socket.write(OK);
    };
    for (let count = 0; count < 3; count += 1)
      expect(await get().over).toMatchObject({ body: "ok", outcome: "end" });
    expect(seen).toEqual([HEAD, HEAD, HEAD]);
    await waitFor("the second connection at most", () => sockets.length <= 2);
  });

  it("makes as many connections as it may, and lets other requests wait for one", async () => {
    client = clientOf({ maxConnections: 2 });
    const all = await Promise.all(Array.from({ length: 20 }, () => get().over));
    expect(all.map((each) => each.body)).toEqual(Array.from({ length: 20 }, () => "ok"));
    expect(sockets).toHaveLength(2);
  });

  it("gives up when the head of an answer does not come in time, and not because of its body", async () => {
    answer = () => {};
    expect((await get({ timeoutMs: 20 }).over).outcome).toMatchObject({ code: "UND_ERR_HEADERS_TIMEOUT" });
    answer = (socket) => socket.write(OK.slice(0, -1));
    const slow = get({ timeoutMs: 200 });
    await waitFor("the first part", () => slow.heard.body !== "");
    answer = () => {};
    expect((await get({ timeoutMs: 300 }).over).outcome).toMatchObject({ code: "UND_ERR_HEADERS_TIMEOUT" });
    expect(slow.heard.outcome).toBeNull();
    sockets[1]?.write("k");
    expect(await slow.over).toMatchObject({ body: "ok", outcome: "end" });
  });

  it("takes bytes that come between two requests for no answer", async () => {
    await get().over;
    const [first] = sockets;
    const closed = first ? once(first, "close") : null;
    first?.write("HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil");
    await closed;
    expect((await get().over).body).toBe("ok");
    expect(sockets).toHaveLength(2);
  });

  it.each([
    ["says it closes", "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok"],
    [
      "closes it too soon to rely on",
      "HTTP/1.1 200 OK\r\nkeep-alive: timeout=2\r\ncontent-length: 2\r\n\r\nok",
    ],
    ["may send a body where none belongs", "HTTP/1.1 304 x\r\ncontent-length: 2\r\n\r\n"],
    ["sends more than it has announced", `${OK}!`],
  ])("does not use a connection again whose instance %s", async (_why, text) => {
    answer = (socket) => socket.write(text);
    expect((await get().over).outcome).toBe("end");
    const [first] = sockets;
    if (first && !first.destroyed) await once(first, "close");
  });

  it("closes an idle connection before its instance does", async () => {
    answer = (socket) => socket.write(OK.replace("content", "keep-alive: timeout=3\r\ncontent"));
    await get().over;
    const [first] = sockets;
    if (first) await once(first, "close");
    expect((await get().over).body).toBe("ok");
  });

  it.each([
    ["of 100", "HTTP/1.1 100 Continue\r\n\r\n", { code: "UND_ERR_SOCKET" }],
    ["of 103 and no more", "HTTP/1.1 103 x\r\nconnection: close\r\n\r\n", { code: "UND_ERR_SOCKET" }],
    ["with another protocol", "HTTP/1.1 101 x\r\n\r\n", { code: "UND_ERR_SOCKET" }],
    ["that is none", "NOT HTTP\r\n\r\n", { code: "ERR_ANSWER_INVALID" }],
  ])("reports an answer %s", async (_what, text, error) => {
    answer = (socket) => socket.write(text);
    expect((await get().over).outcome).toMatchObject(error);
  });

  it("reports a connection that is cut before, and in the middle of, an answer", async () => {
    answer = (socket) => socket.end();
    expect(await get().over).toMatchObject({ heads: [], outcome: expect.any(Error) });
    answer = (socket) => socket.end(OK.slice(0, -1));
    expect(await get().over).toMatchObject({ body: "o", outcome: expect.any(Error) });
    answer = (socket) => socket.resetAndDestroy();
    expect(await get().over).toMatchObject({ heads: [], outcome: { code: "ECONNRESET" } });
  });

  it("says so when there is no connection", async () => {
    server.close();
    const recorder = get();
    expect(await recorder.over).toMatchObject({ controller: null, outcome: { code: "ECONNREFUSED" } });
  });

  it("reads no faster than it is told", async () => {
    const size = 64 * 1024 * 1024;
    answer = (socket) => {
      socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${size}\r\n\r\n`);
      socket.write(Buffer.alloc(size));
    };
    let isFirst = true;
    const { heard, over } = get({
      onData: {
        onData(controller) {
          if (isFirst) controller.pause();
          isFirst = false;
        },
      },
    });
    await waitFor("the first part", () => !isFirst);
    const received = heard.body.length;
    // What the kernel takes at once is far less: the rest waits in the instance.
    await waitFor("the instance to be held up", () => (sockets[0]?.writableLength ?? 0) > size / 2);
    expect(heard.body.length).toBe(received);
    heard.controller?.resume();
    expect((await over).body).toHaveLength(size);
  });

  it("cuts the connection of a request that is given up", async () => {
    answer = (socket) => socket.write(OK.slice(0, -1));
    const { heard } = get();
    await waitFor("the first part", () => heard.body !== "");
    const [first] = sockets;
    heard.controller?.abort(new Error("the client hung up"));
    if (first) await once(first, "close");
    expect(heard.outcome).toBeNull();
  });
});
