import { once } from "node:events";
import { createServer, request as httpRequest, type IncomingMessage, type Server } from "node:http";
import { text } from "node:stream/consumers";
import { afterEach, describe, expect, it, vi } from "vitest";
import { waitFor } from "../testing/wait-for.ts";
import { REFUSALS } from "./problem.ts";
import { createRequestBody } from "./request-body.ts";

const LIMITS = { bodyBytes: 2_000_000, bodyTimeoutMs: 60_000 };

describe("the body of a request", () => {
  let server: Server;
  afterEach(() => {
    vi.useRealTimers();
    server.closeAllConnections();
    server.close();
  });

  /** A request as a server gets it, and the client's end of it. */
  async function receive() {
    server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    const port = typeof address === "object" && address ? address.port : 0;
    const client = httpRequest({ port, host: "127.0.0.1", method: "POST", agent: false });
    client.on("error", () => {});
    client.flushHeaders();
    const [request] = (await once(server, "request")) as [IncomingMessage];
    return { client, request };
  }

  it("is read only when it is asked for", async () => {
    const { client, request } = await receive();
    client.end("body");
    const unused = createRequestBody(request, LIMITS);
    unused.destroy();
    expect(await text(createRequestBody(request, LIMITS))).toBe("body");
  });

  it("is read to its end and dropped when the attempt ends before it", async () => {
    const { client, request } = await receive();
    const body = createRequestBody(request, LIMITS);
    client.write("first");
    await once(body, "readable");
    body.destroy();
    client.end(Buffer.alloc(1_000_000));
    await once(request, "end");
    expect([request.complete, request.destroyed]).toEqual([true, true]);
    expect(request.socket.destroyed).toBe(false);
  });

  it("that stands still is refused", async () => {
    const { client, request } = await receive();
    const body = createRequestBody(request, { ...LIMITS, bodyTimeoutMs: 20 }).resume();
    client.write("first");
    expect(await once(body, "error")).toMatchObject([{ refusal: REFUSALS.bodyTimeout }]);
  });

  it("that nobody takes is not held against the client", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const { client, request } = await receive();
    const body = createRequestBody(request, { ...LIMITS, bodyTimeoutMs: 20 });
    client.write(Buffer.alloc(1_000_000));
    await once(body, "readable");
    await waitFor("the reader to be full", () => request.isPaused());
    vi.advanceTimersByTime(60_000);
    expect(body.destroyed).toBe(false);
  });

  it("that grows past the limit ends there", async () => {
    const { client, request } = await receive();
    const body = createRequestBody(request, { ...LIMITS, bodyBytes: 10 }).resume();
    client.write("0123456789");
    client.write("a");
    expect(await once(body, "error")).toMatchObject([{ refusal: REFUSALS.bodyTooLarge }]);
  });
});
