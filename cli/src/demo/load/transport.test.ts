import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { afterEach, expect, test } from "vitest";
import type { Result } from "./outcome.ts";
import { createTransport, type OutgoingRequest, type Transport } from "./transport.ts";

const GET: OutgoingRequest = {
  method: "GET",
  path: "/",
  body: null,
  contentType: null,
  cookie: null,
  close: false,
};

const open: { server: Server; transport: Transport }[] = [];
afterEach(async () => {
  for (const { server, transport } of open.splice(0)) {
    server.closeAllConnections();
    server.close();
    await transport.close();
  }
});

/** A server and a transport to it; `send` resolves to the result. */
async function setUp(listener: RequestListener, timeoutMs = 10_000) {
  const sockets = new Set<Socket>();
  const server = createServer(listener).on("connection", (socket) => sockets.add(socket));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const transport = createTransport({ url, timeoutMs });
  open.push({ server, transport });
  const send = async (request: OutgoingRequest) => {
    const result = await new Promise<Result>((resolve) => transport.send(request, resolve));
    // The connection is free again once the event that brought the end of the answer is over.
    await new Promise(setImmediate);
    return result;
  };
  return { server, sockets, send };
}

test("what the answer says of itself is handed on", async () => {
  const { send } = await setUp((_request, response) => {
    response.writeHead(503, {
      "proxy-status": "mainstay; error=destination_unavailable",
      "x-mainstay-release": "rel_a",
      "set-cookie": ["a=1", "mainstay_id=x"],
    });
    response.end("busy");
  });
  expect(await send(GET)).toEqual({
    status: 503,
    proxyStatus: "mainstay; error=destination_unavailable",
    release: "rel_a",
    setCookies: ["a=1", "mainstay_id=x"],
  });
});

test("cookie, body and its type arrive", async () => {
  const seen: unknown[] = [];
  const { send } = await setUp((request, response) => {
    request.on("data", (body) =>
      seen.push(request.method, request.headers.cookie, request.headers["content-type"], `${body}`),
    );
    request.on("end", () => response.end());
  });
  await send({
    ...GET,
    method: "PUT",
    body: '"1.0.0"',
    contentType: "application/json",
    cookie: "mainstay_id=x",
  });
  expect(seen).toEqual(["PUT", "mainstay_id=x", "application/json", '"1.0.0"']);
});

test("kept connections are used again, closed ones are not", async () => {
  const { sockets, send } = await setUp((_request, response) => response.end("ok"));
  for (let count = 0; count < 3; count++) await send(GET);
  expect(sockets.size).toBe(1);
  for (let count = 0; count < 3; count++) await send({ ...GET, close: true });
  expect(sockets.size).toBe(4);
});

test("a server that hangs up without an answer gave none", async () => {
  const { send } = await setUp((request) => request.socket.end());
  expect(await send(GET)).toEqual({ failure: "no-answer" });
});

test("a connection that is reset is told apart", async () => {
  const { send } = await setUp((request) => request.socket.resetAndDestroy());
  expect(await send(GET)).toEqual({ failure: "reset" });
});

test("an answer that breaks off is no answer", async () => {
  const { send } = await setUp((request, response) => {
    response
      .writeHead(200, { "content-length": "100" })
      .write("only the beginning", () => request.socket.destroy());
  });
  expect(await send(GET)).toEqual({ failure: "cut-off" });
});

test("nobody listens", async () => {
  const { server, send } = await setUp((_request, response) => response.end());
  await new Promise((resolve) => server.close(resolve));
  expect(await send(GET)).toEqual({ failure: "refused" });
});

test("a request that is not answered in time is given up, once", async () => {
  const { send } = await setUp(() => {}, 50);
  expect(await send(GET)).toEqual({ failure: "timeout" });
});
