import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createFrameReader, type LogFrame } from "./log-frames.ts";
import { openLogPosition } from "./log-position.ts";

const AT = "2026-11-01T12:00:00Z";
const LATER = "2026-11-01T12:00:01Z";

function frame(stream: 1 | 2, at: string, text: string): LogFrame {
  return { stream, at, bytes: Buffer.from(text) };
}

/** A frame as an engine sends it. */
function wire({ stream, at, bytes }: LogFrame): Buffer {
  const text = Buffer.concat([Buffer.from(`${at} `), bytes]);
  const head = Buffer.alloc(8);
  head[0] = stream;
  head.writeUInt32BE(text.length, 4);
  return Buffer.concat([head, text]);
}

const texts = (frames: LogFrame[]) => frames.map((each) => each.bytes.toString());

describe("frames of a container's output", () => {
  const sent = [frame(1, AT, "one\n"), frame(2, AT, "oh\n"), frame(1, LATER, "a b  c\n")];

  it.each([1, 3, 9, 1000])("are the same however they are cut, here every %i bytes", (size) => {
    const bytes = Buffer.concat(sent.map(wire));
    const read = createFrameReader();
    const found: LogFrame[] = [];
    for (let at = 0; at < bytes.length; at += size) found.push(...read(bytes.subarray(at, at + size)));
    expect(found.map((each) => ({ ...each, bytes: each.bytes.toString() }))).toEqual(
      sent.map((each) => ({ ...each, bytes: each.bytes.toString() })),
    );
  });
});

describe("how far a container's output was copied", () => {
  let directory: string;
  let path: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "position-"));
    path = join(directory, "copied.json");
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  const all = [
    frame(1, AT, "one"),
    frame(1, AT, "two"),
    frame(2, AT, "oh"),
    frame(1, AT, "three"),
    frame(1, LATER, "four"),
  ];

  it.each([0, 1, 2, 3, 4, 5])("is known to the next agent after %i lines, though times repeat", (count) => {
    const first = openLogPosition(path, "c1");
    first.rewind();
    first.take(all.slice(0, count));
    first.save();
    const next = openLogPosition(path, "c1");
    next.rewind();
    expect(texts(next.take(all))).toEqual(texts(all.slice(count)));
  });

  it("holds for one answer after another", () => {
    const position = openLogPosition(path, "c1");
    position.rewind();
    position.take(all.slice(0, 3));
    position.rewind();
    expect(texts(position.take(all))).toEqual(["three", "four"]);
    expect(position.sinceSeconds()).toBe(Date.parse(AT) / 1000 - 1);
  });

  it("begins anew for another container, and where the file is damaged", () => {
    const first = openLogPosition(path, "c1");
    first.take(all);
    first.save();
    expect(openLogPosition(path, "c2").sinceSeconds()).toBe(0);
    writeFileSync(path, "{");
    expect(openLogPosition(path, "c1").sinceSeconds()).toBe(0);
  });
});
