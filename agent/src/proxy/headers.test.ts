import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { answeredHeaders, forwardedHeaders, hostName, readHost } from "./headers.ts";

const CLIENT = { host: "a", address: "10.0.0.1", protocol: "http", said: null } as const;

describe("headers", () => {
  it("are forwarded as they came, in their order and spelling", () => {
    const raw = ["Host", "a", "Accept", "*/*", "X-One", "1", "x-one", "2"];
    const forwarded = forwardedHeaders(raw, { host: "a" }, CLIENT);
    expect(forwarded).toEqual([
      ...["Accept", "*/*", "X-One", "1", "x-one", "2", "host", "a"],
      ...["x-forwarded-for", "10.0.0.1", "x-forwarded-proto", "http", "x-forwarded-host", "a"],
      ...["forwarded", "for=10.0.0.1;host=a;proto=http"],
    ]);
  });

  it("that only a proxy may set are dropped when they come from a client", () => {
    const raw = ["Forwarded", "X-Forwarded-For", "x-forwarded-proto", "X-Forwarded-Host", "X-Real-IP"];
    const forwarded = forwardedHeaders(
      [...raw, "X-Forwarded-Port"].flatMap((name) => [name, "a lie"]),
      { host: "a" },
      CLIENT,
    );
    expect(forwarded).not.toContain("a lie");
  });

  it("named by Connection stay on their connection, but never the host", () => {
    const raw = ["host", "a", "connection", "Host, X-Mine", "x-mine", "1", "x-yours", "2"];
    const forwarded = forwardedHeaders(raw, { host: "a", connection: "Host, X-Mine" }, CLIENT);
    expect(forwarded).toContain("host");
    expect(forwarded).not.toContain("x-mine");
    expect(forwarded).toContain("x-yours");
  });

  it("of an answer lose those of the connection, and repeat what was repeated", () => {
    const headers = {
      connection: "close, x-mine",
      "x-mine": "1",
      "keep-alive": "timeout=5",
      "set-cookie": ["a", "b"],
      etag: '"1"',
    };
    expect(answeredHeaders(headers)).toEqual(["set-cookie", "a", "set-cookie", "b", "etag", '"1"']);
  });

  it.each(["shop.test", "shop.test:8080", "127.0.0.1", "[::1]", "[::1]:80", "a_b.test"])(
    "take %s for a host",
    (host) => {
      expect(readHost(["Host", host], host)).toBe(host);
    },
  );

  it.each(["", "a b", "a/b", "a,b", "a@b", "a:b", "a:", "[::1", "a\tb", "é"])(
    "do not take %j for a host",
    (host) => {
      expect(readHost(["Host", host], host)).toBeNull();
    },
  );

  it("with two hosts have none", () => {
    expect(readHost(["Host", "a", "hOST", "a"], "a")).toBeNull();
    expect(readHost([], undefined)).toBeNull();
  });

  it("name a host without port and case", () => {
    expect(["Shop.Test:80", "shop.test", "[::1]:80", "[::1]"].map(hostName)).toEqual([
      "shop.test",
      "shop.test",
      "[::1]",
      "[::1]",
    ]);
  });

  it("never let a header of the connection through, however it is spelled", () => {
    const name = fc.constantFrom(
      "connection",
      "keep-alive",
      "te",
      "trailer",
      "transfer-encoding",
      "upgrade",
      "expect",
    );
    const upper = fc.array(fc.boolean(), { minLength: 20, maxLength: 20 });
    const spelled = fc.tuple(name, upper).map(([text, isUpper]) => {
      return text.replace(/./g, (letter, index: number) => (isUpper[index] ? letter.toUpperCase() : letter));
    });
    fc.assert(
      fc.property(fc.array(spelled), (names) => {
        const raw = names.flatMap((each) => [each, "x"]);
        const forwarded = forwardedHeaders(raw, { host: "a" }, CLIENT);
        expect(forwarded).toHaveLength(10);
      }),
    );
  });
});
