import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { waitFor } from "../testing/wait-for.ts";
import {
  sendRaw,
  startTestWorker,
  startUpstream,
  type TestUpstream,
  type TestWorker,
} from "../testing/worker.ts";

const LIMITS = {
  bodyBytes: 10_000,
  headerBytes: 4096,
  headerCount: 20,
  headerTimeoutMs: 300,
  bodyTimeoutMs: 300,
  connections: 3,
};
const POST = "POST / HTTP/1.1\r\nhost: a\r\n";
const LAST = "GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";

describe("a proxy worker with limits", () => {
  let worker: TestWorker;
  let app: TestUpstream;
  let served: number;

  beforeAll(async () => {
    worker = await startTestWorker({ limits: LIMITS });
    app = await startUpstream((request, response) => {
      let bytes = 0;
      request.on("data", (chunk: Buffer) => (bytes += chunk.length));
      request.on("end", () => {
        served += 1;
        response.end(`read ${bytes}`);
      });
    });
    await worker.route([{ stable: app.arm("rel_1") }]);
  });
  afterAll(async () => {
    await worker.stop();
    await app.stop();
  });
  beforeEach(() => void (served = 0));

  async function refused(reason: string): Promise<number> {
    return (await worker.counters()).refused[reason] ?? 0;
  }

  function chunkOf(bytes: number): string {
    return `${bytes.toString(16)}\r\n${"x".repeat(bytes)}\r\n`;
  }

  it.each([
    ["a body that is announced too large", 413, "body_too_large", `${POST}content-length: 10001\r\n\r\n`],
    [
      "a body that grows too large",
      413,
      "body_too_large",
      `${POST}transfer-encoding: chunked\r\n\r\n${chunkOf(6000)}${chunkOf(6000)}`,
    ],
    ["a body that stops arriving", 408, "body_timeout", `${POST}content-length: 10\r\n\r\nhalf`],
    ["headers that are too large", 431, "head_too_large", `${POST}x: ${"x".repeat(5000)}\r\n\r\n`],
    ["too many headers", 431, "head_too_large", `${POST}${"x: 1\r\n".repeat(20)}connection: close\r\n\r\n`],
    ["a head that does not end", 408, "head_timeout", `${POST}x: 1`],
  ])("refuses %s with %d", async (...[, status, reason, bytes]) => {
    const before = [await refused(reason), (await worker.counters()).lost, sumOf(await errors())];
    const answer = await sendRaw(worker.port, bytes);
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} .*"status":${status}`, "s"));
    expect(answer.toLowerCase()).toContain("connection: close");
    expect(served).toBe(0);
    const after = [await refused(reason), (await worker.counters()).lost, sumOf(await errors())];
    expect(after).toEqual([Number(before[0]) + 1, before[1], before[2]]);
  });

  async function errors(): Promise<number[]> {
    return (await worker.counters()).arms.flatMap((each) => each.errors);
  }

  function sumOf(values: number[]): number {
    return values.reduce((sum, each) => sum + each, 0);
  }

  it("takes what keeps them", async () => {
    const length = await sendRaw(
      worker.port,
      `${POST}connection: close\r\ncontent-length: 10000\r\n\r\n${"x".repeat(10_000)}`,
    );
    expect(length).toMatch(/^HTTP\/1.1 200 .*read 10000$/s);
    const chunks = `${chunkOf(6000)}${chunkOf(4000)}0\r\n\r\n`;
    const chunked = await sendRaw(
      worker.port,
      `${POST}connection: close\r\ntransfer-encoding: chunked\r\n\r\n${chunks}`,
    );
    expect(chunked).toContain("read 10000");
  });

  it("lets a client that sends on read why it was refused", async () => {
    const socket = connect(worker.port, "127.0.0.1").setEncoding("latin1");
    let answer = "";
    socket.on("data", (text) => (answer += text)).on("error", () => {});
    socket.write(`${POST}content-length: 4000000\r\n\r\n${"x".repeat(2_000_000)}`);
    await waitFor("the answer", () => answer.includes('"status":413'));
    socket.write("x".repeat(2_000_000));
    await once(socket, "close");
  });

  it("does not count a connection that was opened ahead and never used", async () => {
    const before = await refused("head_timeout");
    const socket = connect(worker.port, "127.0.0.1").resume();
    await once(socket, "close");
    expect(await refused("head_timeout")).toBe(before);
  });

  it("answers 503 on connections beyond the limit, until one of those within it ends", async () => {
    const before = await refused("connection_limit");
    const sockets: Socket[] = [];
    for (let index = 0; index < 3; index += 1) {
      const socket = connect(worker.port, "127.0.0.1");
      sockets.push(socket);
      socket.write("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
      await once(socket, "data");
    }
    const answer = await sendRaw(worker.port, LAST);
    expect(answer).toMatch(/^HTTP\/1.1 503 .*retry-after: 1\r\n/is);
    expect(await refused("connection_limit")).toBe(before + 1);
    for (const socket of sockets) socket.destroy();
    await waitFor("room", async () => (await sendRaw(worker.port, LAST)).startsWith("HTTP/1.1 200 "));
  });
});

describe("a proxy worker behind another proxy", () => {
  let worker: TestWorker;
  let app: TestUpstream;
  const SAID = {
    forwarded: 'for="[2001:db8::1]";proto=https',
    "x-forwarded-for": "192.0.2.1",
    "x-forwarded-proto": "https",
    "x-forwarded-host": "shop.test",
  };

  beforeAll(async () => {
    app = await startUpstream((request, response) => response.end(JSON.stringify(request.headers)));
  });
  afterAll(() => app.stop());

  it.each([
    {
      trusted: [],
      expected: {
        forwarded: /^for=127\.0\.0\.1;host="127\.0\.0\.1:\d+";proto=http$/,
        "x-forwarded-for": /^127\.0\.0\.1$/,
        "x-forwarded-proto": /^http$/,
        "x-forwarded-host": /^127\.0\.0\.1:\d+$/,
      },
    },
    {
      trusted: ["10.0.0.0/8", "127.0.0.0/8"],
      expected: {
        forwarded:
          /^for="\[2001:db8::1\]";proto=https, for=127\.0\.0\.1;host="127\.0\.0\.1:\d+";proto=https$/,
        "x-forwarded-for": /^192\.0\.2\.1, 127\.0\.0\.1$/,
        "x-forwarded-proto": /^https$/,
        "x-forwarded-host": /^shop\.test$/,
      },
    },
  ])("that trusts $trusted believes just these", async ({ trusted, expected }) => {
    worker = await startTestWorker({ trustedProxies: trusted });
    await worker.route([
      { stable: app.arm("rel_1"), candidate: app.arm("rel_2", "ins_2"), change: "chg_1", weight: 5000 },
    ]);
    const answer = await fetch(worker.url, { headers: SAID });
    const headers = (await answer.json()) as Record<string, string>;
    for (const [name, form] of Object.entries(expected)) expect(headers[name]).toMatch(form);
    // Only a proxy that is believed can say that the client speaks HTTPS.
    expect(answer.headers.get("set-cookie")?.includes("; Secure")).toBe(trusted.length > 0);
    await worker.stop();
  });
});
