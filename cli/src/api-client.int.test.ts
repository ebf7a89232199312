import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { ChangeResource } from "@mainstay/api";
import { afterEach, describe, expect, it } from "vitest";
import { createApiClient } from "./api-client.ts";
import { watchChange } from "./watch-change.ts";

let server: Server | null = null;

async function serve(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  const started = createServer(answer);
  server = started;
  await new Promise<void>((resolve) => started.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(started.address() as AddressInfo).port}`;
}

afterEach(async () => {
  server?.closeAllConnections();
  await new Promise((resolve) => (server ? server.close(resolve) : resolve(null)));
  server = null;
});

describe("the API client", () => {
  it("sends the key, and the same idempotency key with every attempt of a request", async () => {
    const seen: IncomingMessage["headers"][] = [];
    const url = await serve((request, response) => {
      seen.push(request.headers);
      if (seen.length === 1) return request.socket.destroy();
      return response.end('{"id":"chg_1"}');
    });
    const api = createApiClient({ url, token: "mk_test" });
    expect(await api.post("/changes", {})).toEqual({ id: "chg_1" });
    expect(seen.map((each) => each["authorization"])).toEqual(["Bearer mk_test", "Bearer mk_test"]);
    expect(new Set(seen.map((each) => each["idempotency-key"])).size).toBe(1);
  });

  it("turns a problem document into an error with the server's words", async () => {
    const problem = { code: "CHANGE_LOCKED", detail: "shop is being altered", remedy: "wait", status: 409 };
    const url = await serve((_, response) => response.writeHead(409).end(JSON.stringify(problem)));
    const failure = createApiClient({ url, token: null }).get("/changes");
    await expect(failure).rejects.toMatchObject({
      code: "CHANGE_LOCKED",
      message: "shop is being altered",
      remedy: "wait",
    });
  });

  it("says where it looked when nobody answers", async () => {
    const api = createApiClient({ url: "http://127.0.0.1:1", token: null, patienceMs: 0 });
    await expect(api.get("/changes")).rejects.toMatchObject({ code: "SERVER_UNREACHABLE" });
  });

  it("puts items together that arrive in pieces", async () => {
    const url = await serve((_, response) => {
      response.write('{"a":1}\n{"b"');
      setImmediate(() => response.end(":2}\n"));
    });
    const items: unknown[] = [];
    for await (const item of createApiClient({ url, token: null }).stream("/x")) items.push(item);
    expect(items).toEqual([{ a: 1 }, { b: 2 }]);
  });
});

describe("watching a change", () => {
  it("goes on after the connection broke, from the last entry it knows", async () => {
    const asked: (string | undefined)[] = [];
    const item = (state: string, seq: number) =>
      `${JSON.stringify({ change: { state }, entries: [{ seq }] })}\n`;
    const url = await serve((request, response) => {
      asked.push(request.url);
      if (asked.length > 1) return response.end(item("succeeded", 4));
      response.write(item("stepping", 3));
      return setImmediate(() => request.socket.destroy());
    });
    const seen: string[] = [];
    const change = await watchChange(createApiClient({ url, token: null }), {
      id: "chg_1",
      signal: undefined,
      isDone: (each: ChangeResource) => each.state === "succeeded",
      onItem: ({ change: each }) => void seen.push(each.state),
    });
    expect([change.state, ...seen]).toEqual(["succeeded", "stepping", "succeeded"]);
    expect(asked.map((each) => each?.split("after=")[1])).toEqual(["-1", "3"]);
  });
});
