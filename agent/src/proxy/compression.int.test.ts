import { once } from "node:events";
import { request, type IncomingHttpHeaders, type IncomingMessage, type OutgoingHttpHeaders } from "node:http";
import { brotliDecompressSync, createGunzip, gunzipSync } from "node:zlib";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createSelfSigned } from "../system/self-signed.ts";
import { askHttp2, openHttp2 } from "../testing/tls-client.ts";
import { startTestWorker, startUpstream, type TestUpstream, type TestWorker } from "../testing/worker.ts";

const TEXT = "The quick brown fox jumps over the lazy dog. ".repeat(2000);
const GZIP = { "accept-encoding": "gzip" };

interface Told {
  status?: number;
  headers: OutgoingHttpHeaders;
  body: string;
}

describe("an answer on its way out", () => {
  let worker: TestWorker;
  let upstream: TestUpstream;
  let told: Told;
  /** Set by a test that writes the body itself. */
  let stream: ((write: (chunk: string) => void, end: () => void) => void) | null;
  beforeAll(async () => {
    upstream = await startUpstream((_, response) => {
      response.writeHead(told.status ?? 200, told.headers);
      if (stream)
        stream(
          (chunk) => void response.write(chunk),
          () => response.end(),
        );
      else response.end(told.body);
    });
    worker = await startTestWorker();
  });
  beforeEach(async () => {
    stream = null;
    told = { headers: { "content-type": "text/html; charset=utf-8" }, body: TEXT };
    await worker.route([{ stable: upstream.arm("rel_1") }]);
  });
  afterAll(async () => {
    await worker.stop();
    await upstream.stop();
  });

  async function open(headers: OutgoingHttpHeaders, method = "GET"): Promise<IncomingMessage> {
    const sent = request({ host: "127.0.0.1", port: worker.port, headers, method }).end();
    const [response] = (await once(sent, "response")) as [IncomingMessage];
    return response;
  }

  async function ask(headers: OutgoingHttpHeaders, method?: string) {
    const response = await open(headers, method);
    return { headers: response.headers, body: Buffer.concat(await response.toArray()) };
  }

  const codingOf = (headers: IncomingHttpHeaders) => headers["content-encoding"];

  it.each([
    ["gzip", gunzipSync],
    ["br", brotliDecompressSync],
  ])("is compressed with %s where the client takes it", async (coding, decompress) => {
    const { headers, body } = await ask({ "accept-encoding": coding });
    expect([codingOf(headers), headers.vary]).toEqual([coding, "Accept-Encoding"]);
    expect(decompress(body).toString()).toBe(TEXT);
    expect(body.length).toBeLessThan(TEXT.length / 20);
  });

  it("over HTTP/2 is compressed likewise", async () => {
    const certificate = {
      hosts: ["a.example"],
      ...createSelfSigned({ hosts: ["a.example"], from: new Date(), days: 1 }),
    };
    await worker.https({ certificates: [certificate] });
    const session = openHttp2(worker.tlsPort, "a.example");
    const answer = await askHttp2(session, { ":path": "/", "accept-encoding": "br" });
    session.close();
    expect(brotliDecompressSync(answer.body).toString()).toBe(TEXT);
  });

  it("loses its length and ranges, and its strong validator becomes a weak one", async () => {
    Object.assign(told.headers, { etag: '"v1"', "accept-ranges": "bytes", "content-length": TEXT.length });
    const { headers } = await ask(GZIP);
    expect(headers).toMatchObject({ etag: 'W/"v1"', "content-encoding": "gzip" });
    expect([headers["content-length"], headers["accept-ranges"]]).toEqual([undefined, undefined]);
    expect((await ask({})).headers.etag).toBe('"v1"');
  });

  it("tells caches what it depends on, beside what it said already", async () => {
    Object.assign(told.headers, { vary: ["Origin", "Cookie"] });
    expect((await ask(GZIP)).headers.vary).toBe("Origin, Cookie, Accept-Encoding");
    expect((await ask({})).headers.vary).toBe("Origin, Cookie, Accept-Encoding");
    told.headers["vary"] = "accept-encoding";
    expect((await ask(GZIP)).headers.vary).toBe("accept-encoding");
  });

  it.each([
    ["is an event stream", { "content-type": "text/event-stream" }],
    ["is an image", { "content-type": "image/png" }],
    ["has no type", { "content-type": undefined }],
    ["is compressed already", { "content-encoding": "zstd" }],
    ["must not be transformed", { "cache-control": "public, no-transform" }],
    ["carries a digest of its bytes", { "content-digest": "sha-256=:abc=:" }],
  ])("is left alone when it %s", async (_, headers) => {
    for (const [name, value] of Object.entries(headers)) {
      if (value === undefined) delete told.headers[name];
      else told.headers[name] = value;
    }
    const { headers: answered, body } = await ask(GZIP);
    expect(codingOf(answered)).toBe(told.headers["content-encoding"]);
    expect(body.toString()).toBe(TEXT);
  });

  it("is left alone when it is short, or a part", async () => {
    Object.assign(told, { body: "short", headers: { ...told.headers, "content-length": 5 } });
    expect(codingOf((await ask(GZIP)).headers)).toBeUndefined();
    Object.assign(told, { status: 206, body: TEXT });
    Object.assign(told.headers, {
      "content-length": TEXT.length,
      "content-range": `bytes 0-1/${TEXT.length}`,
    });
    expect(codingOf((await ask(GZIP)).headers)).toBeUndefined();
  });

  it("is left alone when it has no body", async () => {
    expect(codingOf((await ask(GZIP, "HEAD")).headers)).toBeUndefined();
    Object.assign(told, { status: 304, body: "" });
    expect(codingOf((await ask(GZIP)).headers)).toBeUndefined();
  });

  it("is left alone when its service wants that", async () => {
    const answers = { compression: false, securityHeaders: false };
    await worker.route([{ stable: upstream.arm("rel_1"), answers }]);
    const { headers } = await ask(GZIP);
    expect([codingOf(headers), headers.vary]).toEqual([undefined, undefined]);
  });

  it("comes through chunk by chunk, as the service writes it", async () => {
    const { promise: isOpen, resolve } = Promise.withResolvers<{
      write: (chunk: string) => void;
      end: () => void;
    }>();
    stream = (write, end) => resolve({ write, end });
    const response = open(GZIP);
    const service = await isOpen;
    service.write("first\n");
    const lines = (await response).pipe(createGunzip()).setEncoding("utf8");
    expect(await once(lines, "data")).toEqual(["first\n"]);
    service.write("second\n");
    expect(await once(lines, "data")).toEqual(["second\n"]);
    service.end();
    await once(lines, "end");
  });

  it("of many megabytes comes through whole", async () => {
    const chunk = "x".repeat(64 * 1024);
    stream = (write, end) => {
      for (let count = 0; count < 400; count += 1) write(chunk);
      end();
    };
    const response = await open({ "accept-encoding": "br" });
    const body = Buffer.concat(await response.toArray());
    expect(brotliDecompressSync(body)).toHaveLength(400 * chunk.length);
  });

  it("that breaks off in the middle is cut, not ended as if it were whole", async () => {
    stream = (write) => {
      write(TEXT);
      setImmediate(() => upstream.server.closeAllConnections());
    };
    const response = await open(GZIP);
    await expect(response.toArray()).rejects.toThrow(/aborted/);
  });

  it("gets security headers where its service wants them, never instead of its own", async () => {
    const answers = { compression: true, securityHeaders: true };
    await worker.route([{ stable: upstream.arm("rel_1"), answers }]);
    expect((await ask({})).headers).toMatchObject({
      "x-content-type-options": "nosniff",
      "referrer-policy": "strict-origin-when-cross-origin",
      "x-frame-options": "SAMEORIGIN",
    });
    told.headers["referrer-policy"] = "no-referrer";
    told.headers["content-security-policy"] = "frame-ancestors https://a.example";
    const { headers } = await ask({});
    expect(headers["referrer-policy"]).toBe("no-referrer");
    expect(headers["x-frame-options"]).toBeUndefined();
  });
});
