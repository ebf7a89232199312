import { describe, expect, it } from "vitest";
import { plainHead } from "./plain-head.ts";

describe("the head of a plain request", () => {
  it("is one line and a line for each header", () => {
    expect(plainHead("/a?b=1", ["Accept", "*/*", "host", "shop.example"])).toBe(
      "GET /a?b=1 HTTP/1.1\r\nconnection: keep-alive\r\nAccept: */*\r\nhost: shop.example\r\n\r\n",
    );
  });

  it.each([
    ["a path with a space", "/a b", []],
    ["a path with a line break", "/a\r\nx:", []],
    ["a path beyond ASCII", "/\xe9", []],
    ["a path of another form", "*", []],
    ["a line break in a value", "/", ["a", "1\r\nb: 2"]],
    ["a null character in a value", "/", ["a", "\0"]],
    ["a character of more than a byte in a value", "/", ["a", "\u2192"]],
    ["a colon in a name", "/", ["a:", "1"]],
    ["an empty name", "/", ["", "1"]],
  ])("is not made with %s", (_what, path, headers) => {
    expect(plainHead(path, headers)).toBeNull();
  });
});
