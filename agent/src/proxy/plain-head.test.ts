import { IncomingMessage } from "node:http";
import { Socket } from "node:net";
import { describe, expect, it } from "vitest";
import type { ClientFacts } from "./client.ts";
import { createPlainHeads, plainLines } from "./plain-head.ts";

const CLIENT: ClientFacts = { host: "shop.test", address: "192.0.2.7", protocol: "http", said: null };

/** A request of these headers on a connection. */
function requestOf(rawHeaders: string[], socket = new Socket()): IncomingMessage {
  return Object.assign(new IncomingMessage(socket), { rawHeaders });
}

/** The lines an instance gets, but the first. */
function linesOf(head: string | null): string[] {
  return (head ?? "").split("\r\n").slice(1);
}

describe("the head of a plain request", () => {
  it("is one line and a line for each header, the client's and what is told about it", () => {
    const head = createPlainHeads()(
      "/a?b=1",
      requestOf(["Host", "shop.test", "Accept", "*/*", "TE", "x"]),
      CLIENT,
    );
    expect(head).toBe(
      [
        "GET /a?b=1 HTTP/1.1",
        "connection: keep-alive",
        "Accept: */*",
        "host: shop.test",
        "x-forwarded-for: 192.0.2.7",
        "x-forwarded-proto: http",
        "x-forwarded-host: shop.test",
        "forwarded: for=192.0.2.7;host=shop.test;proto=http",
        "\r\n",
      ].join("\r\n"),
    );
  });

  it("tells of the client what is true of each request, whatever was told on its connection before", () => {
    const write = createPlainHeads();
    const request = requestOf([]);
    expect(linesOf(write("/", request, CLIENT))).toContain("host: shop.test");
    expect(linesOf(write("/", request, { ...CLIENT, host: "other.test" }))).toContain("host: other.test");
    expect(linesOf(write("/", request, CLIENT))).toContain("host: shop.test");
    const other = requestOf([]);
    expect(linesOf(write("/", other, { ...CLIENT, address: "192.0.2.8" }))).toContain(
      "x-forwarded-for: 192.0.2.8",
    );
    expect(linesOf(write("/", request, CLIENT))).toContain("x-forwarded-for: 192.0.2.7");
  });

  it("tells anew with each request what a trusted proxy says", () => {
    const write = createPlainHeads();
    const request = requestOf([]);
    for (const first of ["198.51.100.1", "198.51.100.2"]) {
      const head = write("/", request, { ...CLIENT, said: { "x-forwarded-for": first } });
      expect(linesOf(head)).toContain(`x-forwarded-for: ${first}, 192.0.2.7`);
    }
    const said = { "x-forwarded-for": "198.51.100.1\r\nx: y" };
    expect(write("/", request, { ...CLIENT, said })).toBeNull();
  });

  it.each(["/a b", "/a\r\nx:", "/\xe9", "*", ""])("is not made for %j", (path) => {
    expect(createPlainHeads()(path, requestOf([]), CLIENT)).toBeNull();
  });
});

describe("the lines of headers", () => {
  it.each([
    ["a line break in a value", ["a", "1\r\nb: 2"]],
    ["a null character in a value", ["a", "\0"]],
    ["a character of more than a byte in a value", ["a", "\u2192"]],
    ["a colon in a name", ["a:", "1"]],
    ["an empty name", ["", "1"]],
  ])("are not made of %s", (_what, headers) => {
    expect(plainLines(headers)).toBeNull();
  });
});
