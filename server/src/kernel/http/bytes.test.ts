import { once } from "node:events";
import { Agent, request as sendRequest, type IncomingMessage } from "node:http";
import { Readable } from "node:stream";
import { text as textOf } from "node:stream/consumers";
import { describe, expect, it, onTestFinished } from "vitest";
import { createTestHttp, KEY } from "../../../../tests/support/http.ts";
import { BYTES, BYTE_STREAM, reply, type Http } from "./index.ts";

/** A route that answers how many bytes of which type it got, with 202 for none. */
function addCounting(http: Http): void {
  http.route({
    method: "POST",
    url: "/count",
    permission: "releases.write",
    takesBasic: true,
    summary: "Count bytes",
    takes: ["application/x-one", "application/json"],
    statuses: [200, 202],
    bytes: "text/plain",
    response: BYTES,
    handler: async ({ content, headers }) => {
      let sizeBytes = 0;
      for await (const chunk of content) sizeBytes += chunk.byteLength;
      const body = Buffer.from(`${sizeBytes} of ${String(headers["content-type"] ?? "nothing")}`);
      return sizeBytes === 0 ? reply({ status: 202, headers: { "x-none": "1" }, body }) : body;
    },
  });
}

function basic(password: string): Record<string, string> {
  return { authorization: `Basic ${Buffer.from(`anybody:${password}`).toString("base64")}` };
}

describe("a route that takes bytes", () => {
  const { http } = createTestHttp();
  addCounting(http);
  const send = async (headers: Record<string, string>, payload?: string) => {
    const request = { method: "POST", url: "/count", headers, ...(payload ? { payload } : {}) } as const;
    const { statusCode, payload: text, headers: told } = await http.inject(request);
    return { statusCode, text, told };
  };

  it("gets each of its types as they are, JSON too, whatever their parameters and size", async () => {
    const one = await send({ ...KEY, "content-type": "application/x-one; proto=2" }, "abc");
    expect([one.statusCode, one.text]).toEqual([200, "3 of application/x-one; proto=2"]);
    const json = await send({ ...KEY, "content-type": "application/json" }, "{".repeat(5000));
    expect([json.statusCode, json.text]).toEqual([200, "5000 of application/json"]);
  });

  it("refuses other types", async () => {
    const { statusCode, text } = await send({ ...KEY, "content-type": "application/x-two" }, "abc");
    expect([statusCode, text]).toEqual([415, expect.stringContaining("application/x-one")]);
  });

  it("may be sent nothing, and answers bytes with a status and headers of its own", async () => {
    const { statusCode, text, told } = await send(KEY);
    expect([statusCode, text, told["x-none"]]).toEqual([202, "0 of nothing", "1"]);
    expect(told["content-type"]).toContain("text/plain");
  });

  it("takes a key as the password of Basic authentication where the route says so", async () => {
    expect((await send(basic("good"))).statusCode).toBe(202);
    expect((await send(basic("bad"))).statusCode).toBe(401);
    expect((await send({ authorization: "Basic ???" })).statusCode).toBe(401);
    const elsewhere = await http.inject({ url: "/metrics", headers: basic("good") });
    expect(elsewhere.statusCode).toBe(401);
  });
});

it("carries the next request after one whose body was left unread", async () => {
  const { http } = createTestHttp();
  http.route({
    ...{ method: "POST", url: "/glance", permission: "releases.write", summary: "Look at the beginning" },
    ...{ takes: ["application/x-one"], bytes: "text/plain", response: BYTES },
    handler: async ({ content }) => {
      for await (const chunk of content) return Buffer.from(String(chunk[0]));
      return Buffer.from("nothing");
    },
  });
  await http.start();
  onTestFinished(() => http.stop());
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  onTestFinished(() => agent.destroy());
  const headers = { ...KEY, "content-type": "application/x-one" };
  const connections = new Set<unknown>();
  for (const sizeBytes of [3_000_000, 3_000_000, 1]) {
    const sent = sendRequest(`${http.address()}/glance`, { method: "POST", agent, headers });
    sent.on("socket", (socket) => connections.add(socket));
    sent.end(Buffer.alloc(sizeBytes, 7));
    const [answer]: IncomingMessage[] = await once(sent, "response");
    expect(answer && (await textOf(answer))).toBe("7");
  }
  expect(connections.size).toBe(1);
});

describe("a route that answers a stream of bytes", () => {
  async function open(source: Readable) {
    const { http } = createTestHttp();
    http.route({
      ...{ method: "GET", url: "/flow", permission: "releases.read", summary: "A stream" },
      ...{ bytes: "text/plain", response: BYTE_STREAM },
      handler: () => source,
    });
    await http.start();
    onTestFinished(() => http.stop());
    return fetch(`${http.address()}/flow`, { headers: KEY });
  }

  it("sends them on as they come", async () => {
    const source = new Readable({ read: () => {} });
    source.push("one");
    const answer = await open(source);
    const reader = answer.body?.getReader();
    expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toBe("one");
    source.push("two");
    source.push(null);
    expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toBe("two");
    expect((await reader?.read())?.done).toBe(true);
  });

  it("breaks off when the source does, and ends the source when the client hangs up", async () => {
    const failing = new Readable({ read: () => {} });
    failing.push("one");
    const broken = await open(failing);
    failing.destroy(new Error("no more"));
    await expect(broken.text()).rejects.toThrow();
    const endless = new Readable({ read: () => {} });
    endless.push("one");
    const left = await open(endless);
    const closed = once(endless, "close");
    await left.body?.cancel();
    await closed;
  });
});
