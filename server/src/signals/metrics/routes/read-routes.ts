import { Readable } from "node:stream";
import type { MetricsConfig } from "@mainstay/api";
import type { Clock } from "../../../kernel/clock.ts";
import { BYTE_STREAM, reply, type Http } from "../../../kernel/http/index.ts";
import { API_STATUSES, API_TYPES_BY_FAULT } from "../api-error.ts";
import { MetricsError, type MetricsStore, type ReadPiece } from "../metrics-store.ts";
import { createReadGate } from "./read-gate.ts";
import { readBytes } from "./read-bytes.ts";

const PROTOBUF = "application/x-protobuf";
const FRAMES = "application/x-streamed-protobuf; proto=prometheus.ChunkedReadResponse";
const TEXT = { "content-type": "text/plain; charset=utf-8" };
/** Whoever takes nothing for so long is hung up on: a place at the gate is not for keeping. */
const STALL_MS = 60_000;

export interface ReadRoutesDependencies {
  store: Pick<MetricsStore, "beginRead" | "nextOfRead" | "endRead">;
  clock: Clock;
  config: Pick<MetricsConfig, "read">;
  /** The largest request that is read. */
  bodyBytes: number;
}

/** The server of Prometheus' remote-read, with samples or with a stream of chunks. */
export function addReadRoutes(http: Http, { store, clock, config, bodyBytes }: ReadRoutesDependencies): void {
  const gate = createReadGate(config.read.concurrency);
  http.route({
    method: "POST",
    url: "/prometheus/api/v1/read",
    permission: "metrics.read",
    tags: ["metrics"],
    summary: "Remote-read: samples, or a stream of chunks",
    takesBasic: true,
    takes: [PROTOBUF],
    bytes: PROTOBUF,
    response: BYTE_STREAM,
    statuses: [200, 400, 413, 415, 422, 503],
    handler: async ({ content, headers, signal }) => {
      const encoding = String(headers["content-encoding"] ?? "snappy").toLowerCase();
      if (encoding !== "snappy") return refuse(415, `the encoding is snappy, not ${encoding}`);
      const bytes = await readBytes(content, bodyBytes);
      if (bytes === null) return refuse(413, `the request is larger than ${bodyBytes} bytes`);
      const leave = await gate.enter(signal);
      try {
        const begun = await store.beginRead(bytes);
        // What fails at once is refused in words.
        if ("cursor" in begun)
          return streamed(begun.cursor, { first: await store.nextOfRead(begun.cursor), leave, signal });
        leave();
        const type = { "content-type": PROTOBUF, "content-encoding": "snappy" };
        return reply({ status: 200, headers: type, body: begun.body });
      } catch (error) {
        leave();
        if (!(error instanceof MetricsError)) throw error;
        return refuse(API_STATUSES[API_TYPES_BY_FAULT[error.fault]], error.message);
      }
    },
  });

  /** Pieces are made as they are taken. */
  function streamed(cursor: number, { first, leave, signal }: Streamed) {
    const closed = new AbortController();
    const body = Readable.from(pieces(), { objectMode: false, highWaterMark: 0 });
    body.once("close", () => {
      closed.abort();
      leave();
      // What is at its end is closed already; a store that is gone has nothing to close.
      store.endRead(cursor).catch(() => {});
    });
    // Whoever hung up before the answer began takes nothing of it.
    const hangUp = () => void body.destroy();
    if (signal.aborted) hangUp();
    signal.addEventListener("abort", hangUp, { once: true });
    return reply({ status: 200, headers: { "content-type": FRAMES }, body });

    async function* pieces(): AsyncGenerator<Uint8Array> {
      for (let piece = first; ; piece = await store.nextOfRead(cursor)) {
        if (piece.body.length > 0) yield* patiently(piece.body);
        if (piece.isEnd) return;
      }
    }

    async function* patiently(piece: Uint8Array): AsyncGenerator<Uint8Array> {
      const taken = new AbortController();
      const over = AbortSignal.any([taken.signal, closed.signal]);
      const giveUp = () => void body.destroy(new Error("nobody took what was read"));
      void clock.sleep(STALL_MS, over).then(giveUp, () => {});
      yield piece;
      taken.abort();
    }
  }
}

interface Streamed {
  first: ReadPiece;
  leave(): void;
  signal: AbortSignal;
}

function refuse(status: number, message: string) {
  return reply({ status, headers: TEXT, body: Buffer.from(`${message}\n`) });
}
