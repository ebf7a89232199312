import { once } from "node:events";
import { createServer, type Server } from "node:net";
import type { Dispatcher } from "undici";
import Pool from "undici/lib/dispatcher/pool.js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createRecorder, type Heard } from "../testing/recorder.ts";
import { createConnect } from "./connect.ts";
import { answeredHeaders } from "./headers.ts";
import { createPlainClient } from "./plain-client.ts";

const CASES = 600;
const ANSWERS = [
  "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 11\r\nDate: x\r\n\r\nhello world",
  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nA: 1\r\na: 2\r\n\r\n5;x=y\r\nhello\r\n6\r\n world\r\n0\r\nT: 1\r\n\r\n",
  "HTTP/1.0 200 OK\r\nServer: old\r\n\r\nuntil the end",
  "HTTP/1.1 404 Not Found\r\nConnection: close, x-hop\r\nX-Hop: 1\r\nContent-Length: 0\r\n\r\n",
  "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 204 No Content\r\nX: y\r\n\r\n",
  'HTTP/1.1 304 Not Modified\r\nETag: "a"\r\nKeep-Alive: timeout=9\r\n\r\n',
];
const PIECES = [
  "\r",
  "\n",
  "\r\n",
  " ",
  ":",
  ";",
  ",",
  "0",
  "1",
  "a",
  "\0",
  "\x7f",
  "\x80",
  '"',
  "=",
  "-",
  "+",
];
const LINES = [
  "Content-Length: 5\r\n",
  "Transfer-Encoding: chunked\r\n",
  "Connection: close\r\n",
  "X:\r\n",
  " folded\r\n",
];

/** Mulberry32: the same cases in every run. */
function createRandom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

/** An answer with up to three things put in, taken out or put in place of others. */
function damage(text: string, random: (below: number) => number): string {
  let damaged = text;
  for (let count = random(4); count > 0; count -= 1) {
    const at = random(damaged.length);
    const isLine = random(4) === 0;
    const start = isLine ? damaged.indexOf("\r\n", at) + 2 : at;
    const put = isLine ? LINES[random(LINES.length)] : PIECES[random(PIECES.length)];
    damaged = damaged.slice(0, start) + (random(4) === 0 ? "" : put) + damaged.slice(start + random(2));
  }
  return damaged;
}

/** What counts of it: heads and body of an answer that is whole, or that it is none. */
function resultOf({ heads, body, outcome }: Heard): string {
  if (outcome !== "end") return "none";
  const told = heads.map(({ status, headers }) => [status, ...pairsOf(headers)]);
  return JSON.stringify([...told, body]);
}

function pairsOf(headers: string[]): string[] {
  const pairs = headers.flatMap((name, index) =>
    index % 2 === 0 ? [`${name}: ${headers[index + 1]?.trim()}`] : [],
  );
  return pairs.toSorted();
}

/** Line breaks that are half of one; and what is no character of a line. */
const STRAY = /\r(?!\n)|(?<!\r)\n|[^\t\r\n -~\x80-\xff]/;
/** Before an answer, or between an interim one and the answer. */
const BLANK_LINE = /^\r\n|\r\n\r\n\r\nHTTP/;
const STATUS_LINE = /^(?:HTTP\/1\.1 103[^]*\r\n\r\n)?HTTP\/1\.[01] [1-9]\d\d[ \r]/;
const CODING = /^transfer-encoding:(?:(?![\t ]*chunked[\t ]*\r\n)|[^]*^transfer-encoding:)/im;

/** What undici takes and this client does not: more than RFC 9112 lets a server send. */
function isBeyondRfc(answer: string): boolean {
  return STRAY.test(answer) || BLANK_LINE.test(answer) || CODING.test(answer) || !STATUS_LINE.test(answer);
}

describe("the client of plain requests, beside undici,", () => {
  let server: Server;
  let port = 0;
  let pieces: string[] = [];

  beforeAll(async () => {
    server = createServer((socket) => {
      socket
        .on("error", () => {})
        .once("data", () => {
          const left = [...pieces];
          const next = () => {
            const piece = left.shift();
            if (piece === undefined) return socket.end();
            socket.write(Buffer.from(piece, "latin1"), () => setImmediate(next));
          };
          next();
        });
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    port = typeof address === "object" && address ? address.port : 0;
  });
  afterAll(() => server.close());

  async function askPlain(): Promise<Heard> {
    const client = createPlainClient({ connect: createConnect(port), maxConnections: 1, nowMs: () => 0 });
    const { handler, over } = createRecorder();
    client.send({ head: "GET / HTTP/1.1\r\nhost: x\r\n\r\n", timeoutMs: 60_000, handler });
    return over.finally(() => client.destroy());
  }

  async function askUndici(): Promise<Heard> {
    const pool = new Pool(`http://127.0.0.1:${port}`, { connections: 1, pipelining: 1, allowH2: false });
    const { handler, over } = createRecorder();
    const bridge: Dispatcher.DispatchHandler = {
      onRequestStart() {},
      onResponseStart: (_controller, status, headers, reason) =>
        handler.onHead(status, reason ?? "", answeredHeaders(headers)),
      onResponseData: (controller, chunk) => handler.onResponseData(controller, chunk),
      onResponseEnd: () => handler.onResponseEnd(),
      onResponseError: (_controller, error) => handler.onResponseError(null, error),
    };
    pool.dispatch({ path: "/", method: "GET", headers: [], body: null }, bridge);
    return over.finally(() => void pool.destroy());
  }

  it("reads the same out of good and damaged answers, or refuses them", { timeout: 120_000 }, async () => {
    const random = createRandom(20_260_101);
    const seen = { same: 0, refused: 0, stricter: 0 };
    for (let count = 0; count < CASES; count += 1) {
      const answer = damage(ANSWERS[count % ANSWERS.length] ?? "", random);
      const cut = random(answer.length);
      pieces = random(2) === 0 ? [answer] : [answer.slice(0, cut), answer.slice(cut)];
      const [own, other] = [resultOf(await askPlain()), resultOf(await askUndici())];
      if (own === "none" && other !== "none") {
        expect(isBeyondRfc(answer), JSON.stringify(answer)).toBe(true);
        seen.stricter += 1;
      } else {
        expect(own, JSON.stringify(answer)).toBe(other);
        seen[own === "none" ? "refused" : "same"] += 1;
      }
    }
    expect(seen.same).toBeGreaterThan(CASES / 4);
    expect(seen.refused).toBeGreaterThan(CASES / 10);
  });
});
