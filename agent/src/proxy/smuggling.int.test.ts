import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { waitFor } from "../testing/wait-for.ts";
import { sendRaw, startTestWorker, type TestWorker } from "../testing/worker.ts";

const POST = "POST / HTTP/1.1\r\nhost: a\r\n";
const HIDDEN = "GET /hidden HTTP/1.1\r\nhost: a\r\n\r\n";
const CHUNKED = `${POST}transfer-encoding: chunked\r\n`;

/**
 * What one reader may take for one request and the next reader for two (RFC 9112, section 11.2), and its kin.
 */
const CASES: [string, string][] = [
  [
    "a length and a coding",
    `${POST}content-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n${HIDDEN}`,
  ],
  ["a coding and a length", `${CHUNKED}content-length: 4\r\n\r\n0\r\n\r\n${HIDDEN}`],
  ["two lengths that differ", `${POST}content-length: 0\r\ncontent-length: 41\r\n\r\n${HIDDEN}`],
  ["a list of lengths", `${POST}content-length: 0, 41\r\n\r\n${HIDDEN}`],
  ["a negative length", `${POST}content-length: -1\r\n\r\n${HIDDEN}`],
  ["a length with a sign", `${POST}content-length: +0\r\n\r\n${HIDDEN}`],
  ["a length in hexadecimal", `${POST}content-length: 0x0\r\n\r\n${HIDDEN}`],
  ["an empty length", `${POST}content-length: \r\n\r\n${HIDDEN}`],
  ["a length beyond all numbers", `${POST}content-length: 99999999999999999999999\r\n\r\n${HIDDEN}`],
  [
    "a coding that does not end in chunked",
    `${POST}transfer-encoding: chunked, gzip\r\n\r\n0\r\n\r\n${HIDDEN}`,
  ],
  ["two codings in two lines", `${CHUNKED}transfer-encoding: identity\r\n\r\n0\r\n\r\n${HIDDEN}`],
  ["the coding identity", `${POST}transfer-encoding: identity\r\n\r\n${HIDDEN}`],
  ["a coding that only looks chunked", `${POST}transfer-encoding: xchunked\r\n\r\n0\r\n\r\n${HIDDEN}`],
  ["a coding in HTTP/1.0", `${CHUNKED.replace("1.1", "1.0")}\r\n0\r\n\r\n${HIDDEN}`],
  ["a folded header", `${POST}x-a: 1\r\n content-length: 41\r\n\r\n${HIDDEN}`],
  ["a fold as the first header", `POST / HTTP/1.1\r\n host: a\r\nhost: a\r\n\r\n${HIDDEN}`],
  ["bare line feeds", "GET / HTTP/1.1\nhost: a\n\n"],
  ["a bare line feed after a header", `${POST}x-a: 1\ncontent-length: 41\r\n\r\n${HIDDEN}`],
  ["a bare carriage return in a value", `${POST}x-a: 1\rcontent-length: 41\r\n\r\n${HIDDEN}`],
  ["a NUL in a value", `${POST}x-a: 1\0\r\n\r\n`],
  ["a space before the colon", `${POST}content-length : 41\r\n\r\n${HIDDEN}`],
  ["a tab before the colon", `${POST}transfer-encoding\t: chunked\r\n\r\n0\r\n\r\n${HIDDEN}`],
  ["a name with a space", `${POST}x a: 1\r\n\r\n`],
  ["a name with a bracket", `${POST}x[a]: 1\r\n\r\n`],
  ["a name of other letters", `${POST}cont\u00e9nt-length: 1\r\n\r\n`],
  ["an empty name", `${POST}: 1\r\n\r\n`],
  ["a line without a colon", `${POST}nonsense\r\n\r\n`],
  ["a chunk size that is none", `${CHUNKED}\r\nzz\r\nab\r\n0\r\n\r\n${HIDDEN}`],
  ["a chunk size with a prefix", `${CHUNKED}\r\n0x2\r\nab\r\n0\r\n\r\n${HIDDEN}`],
  ["a negative chunk size", `${CHUNKED}\r\n-1\r\nab\r\n0\r\n\r\n${HIDDEN}`],
  ["a chunk size beyond all numbers", `${CHUNKED}\r\nfffffffffffffffff\r\nab\r\n0\r\n\r\n`],
  ["a space after the chunk size", `${CHUNKED}\r\n2 \r\nab\r\n0\r\n\r\n${HIDDEN}`],
  ["a chunk size that ends in a bare line feed", `${CHUNKED}\r\n2\nab\r\n0\r\n\r\n${HIDDEN}`],
  ["a chunk longer than it says", `${CHUNKED}\r\n2\r\nabc\r\n0\r\n\r\n${HIDDEN}`],
  ["two hosts", `${POST}host: b\r\n\r\n`],
  ["no host", "GET / HTTP/1.1\r\n\r\n"],
  ["a method that is none", "G@T / HTTP/1.1\r\nhost: a\r\n\r\n"],
  ["a version that is none", "GET / HTTP/1.9\r\nhost: a\r\n\r\n"],
  ["a line feed in the target", "GET /a\nb HTTP/1.1\r\nhost: a\r\n\r\n"],
  ["the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"],
];

describe("a proxy worker answers 400, and the instance hears nothing, of a request with", () => {
  let worker: TestWorker;
  let instance: Server;
  let heard: string;
  const open = new Set<Socket>();

  beforeAll(async () => {
    instance = createServer((socket) => {
      open.add(socket);
      socket.on("error", () => {});
      socket.on("data", (bytes) => {
        heard += bytes.toString("latin1");
        socket.write("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
      });
    }).listen(0, "127.0.0.1");
    await once(instance, "listening");
    const address = instance.address();
    const port = typeof address === "object" && address ? address.port : 0;
    worker = await startTestWorker();
    await worker.route([{ stable: { release: "rel_1", instances: [{ id: "ins_1", port }] } }]);
  });
  afterAll(async () => {
    await worker.stop();
    for (const socket of open) socket.destroy();
    instance.close();
  });
  beforeEach(() => void (heard = ""));

  it.each(CASES)("%s", async (_what, bytes) => {
    const before = (await worker.counters()).refused["malformed"] ?? 0;
    // The connection to the instance is there already: nothing is held up by having to make one.
    expect(await sendRaw(worker.port, "GET /open HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")).toMatch(
      /ok$/,
    );
    heard = "";
    const answer = await sendRaw(worker.port, bytes);
    expect(answer).toMatch(/^HTTP\/1.1 400 /);
    expect(answer.match(/HTTP\/1.1 /g)).toHaveLength(1);
    await sendRaw(worker.port, "GET /after HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
    expect(heard).toMatch(/^GET \/after HTTP\/1.1\r\n/);
    expect(heard).not.toContain("hidden");
    expect((await worker.counters()).refused["malformed"]).toBe(before + 1);
  });

  it("a bad chunk that comes late, but then what came before is cut off, not ended", async () => {
    const socket = connect(worker.port, "127.0.0.1").resume();
    socket.write(`${CHUNKED}\r\n2\r\nab\r\n`);
    await waitFor("the instance to hear the good chunk", () => heard.endsWith("2\r\nab"));
    socket.write(`zz\r\n${HIDDEN}`);
    await once(socket, "close");
    await waitFor("the request to be over", async () => (await worker.status()).inflight === 0);
    expect(heard).not.toContain("hidden");
    expect(heard).not.toContain("\r\n0\r\n\r\n");
  });
});
