import { describe, expect, it } from "vitest";
import { AnswerError, createAnswerReader } from "./answer-reader.ts";

/** What a reader finds in these pieces, in order; after each answer the next one is asked for. */
function readAll(pieces: string[], { answers = 1 } = {}): string[] {
  const found: string[] = [];
  let left = answers;
  const reader = createAnswerReader({
    onHead: ({ status }) => void found.push(`head ${status}`),
    onBody: (chunk) => void found.push(chunk.toString("latin1")),
    onEnd() {
      found.push("end");
      left -= 1;
      if (left > 0) reader.begin();
    },
  });
  reader.begin();
  const shared = Buffer.alloc(70_000);
  try {
    for (const piece of pieces) {
      const size = shared.write(piece, "latin1");
      reader.read(shared.subarray(0, size));
      shared.fill("!");
    }
    found.push(reader.finish() ? "end" : "cut");
  } catch (error) {
    if (!(error instanceof AnswerError)) throw error;
    found.push(error.code);
  }
  return found;
}

const CHUNKED = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";

describe("the reader of answers", () => {
  it("finds a body by its length, in pieces of any size", () => {
    const text = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello";
    expect(readAll([text])).toEqual(["head 200", "hello", "end", "cut"]);
    expect(readAll(text.split(""))).toEqual(["head 200", "h", "e", "l", "l", "o", "end", "cut"]);
  });

  it("finds a body in chunks, in pieces of any size, and drops extensions and trailing fields", () => {
    const text = `${CHUNKED}5;a=b;c="d e"\r\nhello\r\n01\r\n!\r\n0\r\nx-sum: 1\r\n\r\n`;
    expect(readAll([text])).toEqual(["head 200", "hello", "!", "end", "cut"]);
    expect(readAll(text.split(""))).toEqual(["head 200", "h", "e", "l", "l", "o", "!", "end", "cut"]);
  });

  it("takes the end of the connection for the end of a body that says nothing of its length", () => {
    expect(readAll(["HTTP/1.1 200 OK\r\n\r\n", "all ", "of it"])).toEqual([
      "head 200",
      "all ",
      "of it",
      "end",
    ]);
  });

  it.each([204, 304])("finds no body after %i", (status) => {
    expect(readAll([`HTTP/1.1 ${status} x\r\ncontent-length: 5\r\n\r\n`])).toEqual([
      `head ${status}`,
      "end",
      "cut",
    ]);
  });

  it("goes on to the answer after interim ones", () => {
    const text = "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
    expect(readAll([text])).toEqual(["head 103", "head 200", "end", "cut"]);
  });

  it("tells a connection that is cut from a body that is whole", () => {
    expect(readAll(["HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhell"])).toEqual([
      "head 200",
      "hell",
      "cut",
    ]);
    expect(readAll([`${CHUNKED}5\r\nhello\r\n`])).toEqual(["head 200", "hello", "cut"]);
    expect(readAll(["HTTP/1.1 200 OK\r\n"])).toEqual(["cut"]);
  });

  it("takes no byte that no request has asked for", () => {
    const text = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
    expect(readAll([`${text}x`])).toEqual(["head 200", "end", "ERR_ANSWER_UNASKED"]);
    expect(readAll([text, text])).toEqual(["head 200", "end", "ERR_ANSWER_UNASKED"]);
    expect(readAll([text, text], { answers: 2 })).toEqual(["head 200", "end", "head 200", "end", "cut"]);
  });

  it.each([
    ["a head that is none", ["HELLO\r\n\r\n"]],
    ["a size that is no number", [`${CHUNKED}x\r\n`]],
    ["a size with a sign", [`${CHUNKED}-1\r\n`]],
    ["an empty size", [`${CHUNKED}\r\n`]],
    ["a size beyond all numbers", [`${CHUNKED}${"f".repeat(14)}\r\n`]],
    ["a space before an extension", [`${CHUNKED}1 ;a\r\n`]],
    ["a chunk longer than it says", [`${CHUNKED}1\r\nab\r\n`]],
    ["a trailing field that is none", [`${CHUNKED}0\r\nx sum: 1\r\n\r\n`]],
  ])("refuses %s", (_what, pieces) => {
    expect(readAll(pieces).at(-1)).toBe("ERR_ANSWER_INVALID");
  });

  it.each([
    ["heads", ["HTTP/1.1 200 OK\r\n", `a: ${"b".repeat(17_000)}`]],
    ["sizes of chunks", [CHUNKED, `1;${"a".repeat(5000)}`]],
    [
      "trailing fields",
      [
        `${CHUNKED}0\r\n`,
        ..."x"
          .repeat(18)
          .replaceAll("x", `x-sum: ${"1".repeat(1000)}\r\n|`)
          .split("|"),
      ],
    ],
  ])("has a limit for %s", (_what, pieces) => {
    expect(readAll(pieces).at(-1)).toBe("ERR_ANSWER_TOO_LARGE");
  });

  it("says nothing more when it is told to stop, not even of what it has at hand", () => {
    const found: string[] = [];
    const reader = createAnswerReader({
      onHead: () => reader.stop(),
      onBody: () => void found.push("body"),
      onEnd: () => void found.push("end"),
    });
    reader.begin();
    reader.read(Buffer.from("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"));
    expect(found).toEqual([]);
  });
});
