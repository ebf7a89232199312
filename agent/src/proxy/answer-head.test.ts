import { describe, expect, it } from "vitest";
import { isFieldLine, parseAnswerHead } from "./answer-head.ts";

/** The head of these lines. */
function parse(...lines: string[]) {
  return parseAnswerHead(lines.map((line) => `${line}\r\n`).join(""));
}

describe("the head of an answer", () => {
  it("has a status, a reason and fields, names in lower case, values without space around them", () => {
    expect(parse("HTTP/1.1 404 Not \xe9 here", "X-One:1", "x-two: \t a b\t ", "X-One: 2", "empty:")).toEqual({
      status: 404,
      reason: "Not \xe9 here",
      headers: ["x-one", "1", "x-two", "a b", "x-one", "2", "empty", ""],
      bodyBytes: null,
      isChunked: false,
      isKeptAlive: true,
      keepAliveSeconds: null,
    });
  });

  it("says how its body ends", () => {
    expect(parse("HTTP/1.1 200 OK", "Content-Length: 12")).toMatchObject({ bodyBytes: 12, isChunked: false });
    expect(parse("HTTP/1.1 200", "Transfer-Encoding: Chunked")).toMatchObject({
      isChunked: true,
      headers: [],
    });
  });

  it("says whether the connection may be used again, and how long", () => {
    const kept = (...lines: string[]) => parse(...lines)?.isKeptAlive;
    expect(kept("HTTP/1.1 200 OK")).toBe(true);
    expect(kept("HTTP/1.1 200 OK", "Connection: keep-alive, Close")).toBe(false);
    expect(kept("HTTP/1.0 200 OK")).toBe(false);
    expect(kept("HTTP/1.0 200 OK", "Connection: Keep-Alive")).toBe(true);
    expect(kept("HTTP/1.0 200 OK", "Connection: keep-alive", "Transfer-Encoding: chunked")).toBe(false);
    expect(parse("HTTP/1.1 200 OK", "Keep-Alive: max=9, timeout=5")?.keepAliveSeconds).toBe(5);
  });

  it("may be as long as heads are", () => {
    expect(parse("HTTP/1.1 200 OK", `a: ${"b".repeat(16_000)}`)?.headers[1]).toHaveLength(16_000);
  });

  it("leaves out what is meant for the connection alone", () => {
    const lines = ["Connection: keep-alive, x-hop", "X-Hop: 1", "Trailer: x", "Upgrade: h2c", "X-Kept: 2"];
    expect(parse("HTTP/1.1 200 OK", ...lines)?.headers).toEqual(["x-kept", "2"]);
  });

  it.each([
    ["another protocol", ["HTTP/2 200 OK"]],
    ["a version nobody knows", ["HTTP/1.2 200 OK"]],
    ["two digits", ["HTTP/1.1 20 OK"]],
    ["no space before the reason", ["HTTP/1.1 200OK"]],
    ["a control character in the reason", ["HTTP/1.1 200 O\0K"]],
    ["a line break of one character", ["HTTP/1.1 200 OK", "a: 1\nb: 2"]],
    ["a lone carriage return", ["HTTP/1.1 200 OK", "a: 1\rb: 2"]],
    ["a folded line", ["HTTP/1.1 200 OK", "a: 1", " folded"]],
    ["a space before the colon", ["HTTP/1.1 200 OK", "a : 1"]],
    ["no name", ["HTTP/1.1 200 OK", ": 1"]],
    ["no colon", ["HTTP/1.1 200 OK", "a"]],
    ["a null character", ["HTTP/1.1 200 OK", "a: \0"]],
    ["two lengths", ["HTTP/1.1 200 OK", "Content-Length: 1", "Content-Length: 1"]],
    ["a list of lengths", ["HTTP/1.1 200 OK", "Content-Length: 1, 1"]],
    ["a length that is no number", ["HTTP/1.1 200 OK", "Content-Length: +1"]],
    ["an empty length", ["HTTP/1.1 200 OK", "Content-Length:"]],
    ["a length and chunks", ["HTTP/1.1 200 OK", "Content-Length: 1", "Transfer-Encoding: chunked"]],
    ["chunks twice", ["HTTP/1.1 200 OK", "Transfer-Encoding: chunked", "Transfer-Encoding: chunked"]],
    ["a coding nobody asked for", ["HTTP/1.1 200 OK", "Transfer-Encoding: gzip, chunked"]],
  ])("is not valid with %s", (_what, lines) => {
    expect(parse(...lines)).toBeNull();
  });
});

describe("a trailing field", () => {
  it("is a line as in a head", () => {
    expect(isFieldLine("x-sum: 1\r\n")).toBe(true);
    const bad = [
      "x sum: 1\r\n",
      "x-sum: \0\r\n",
      " folded\r\n",
      "Content-Length: 1\r\n",
      "transfer-encoding: x\r\n",
    ];
    for (const line of bad) expect(isFieldLine(line)).toBe(false);
  });
});
