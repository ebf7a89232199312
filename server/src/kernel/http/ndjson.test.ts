import { Writable } from "node:stream";
import { describe, expect, it } from "vitest";
import { sendLines } from "./ndjson.ts";

/** A client that reads a line only when it is told to. */
function createSlowClient() {
  const read: string[] = [];
  let readNext: (() => void) | null = null;
  const writable = new Writable({
    highWaterMark: 20,
    write(chunk, _encoding, callback) {
      read.push(String(chunk));
      readNext = callback;
    },
  });
  const sink = Object.assign(writable, { flushHeaders: () => {} });
  return { sink, read, readOne: () => readNext?.() };
}

const settle = () => new Promise((resolve) => setImmediate(resolve));

describe("a stream of lines", () => {
  it("makes no more than a slow client can hold", async () => {
    const { sink, read, readOne } = createSlowClient();
    let made = 0;
    async function* lines() {
      for (; made < 100; made += 1) yield "x".repeat(9);
    }
    const sent = sendLines(sink, lines(), new AbortController().signal);
    await settle();
    expect(made).toBeLessThan(5);
    while (read.length < 100) {
      readOne();
      await settle();
    }
    readOne();
    await sent;
    expect(made).toBe(100);
    expect(sink.writableEnded).toBe(true);
  });

  it("ends when it is aborted, even while the client does not read and the source is silent", async () => {
    const silent = new Promise<never>(() => {});
    for (const lineCount of [0, 100]) {
      const { sink } = createSlowClient();
      const stop = new AbortController();
      async function* lines() {
        for (let i = 0; i < lineCount; i += 1) yield "x".repeat(9);
        await silent;
      }
      const sent = sendLines(sink, lines(), stop.signal);
      await settle();
      stop.abort();
      await sent;
      expect(sink.writableEnded).toBe(true);
    }
  });

  it("leaves no listener behind", async () => {
    const { sink, read, readOne } = createSlowClient();
    async function* lines() {
      for (let i = 0; i < 50; i += 1) yield "x".repeat(30);
    }
    const before = sink.listenerCount("drain") + sink.listenerCount("close") + sink.listenerCount("error");
    const sent = sendLines(sink, lines(), new AbortController().signal);
    while (read.length < 50) {
      readOne();
      await settle();
    }
    readOne();
    await sent;
    expect(sink.listenerCount("drain") + sink.listenerCount("close") + sink.listenerCount("error")).toBe(
      before,
    );
  });
});
