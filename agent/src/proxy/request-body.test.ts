import { once } from "node:events";
import { createServer, request as httpRequest, type IncomingMessage, type Server } from "node:http";
import { text } from "node:stream/consumers";
import { afterEach, describe, expect, it } from "vitest";
import { createRequestBody } from "./request-body.ts";

const PATIENT_MS = 60_000;

describe("the body of a request", () => {
  let server: Server;
  afterEach(() => {
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
    const unused = createRequestBody(request, PATIENT_MS);
    unused.destroy();
    expect(await text(createRequestBody(request, PATIENT_MS))).toBe("body");
  });

  it("is read to its end and dropped when the attempt ends before it", async () => {
    const { client, request } = await receive();
    const body = createRequestBody(request, PATIENT_MS);
    client.write("first");
    await once(body, "readable");
    body.destroy();
    client.end(Buffer.alloc(1_000_000));
    await once(request, "end");
    expect([request.complete, request.destroyed]).toEqual([true, true]);
    expect(request.socket.destroyed).toBe(false);
  });

  it("that stands still ends the connection", async () => {
    const { client, request } = await receive();
    createRequestBody(request, 20).resume();
    client.write("first");
    await once(request, "close");
    expect(request.complete).toBe(false);
  });
});
