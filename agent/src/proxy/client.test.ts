import { describe, expect, it } from "vitest";
import { addClient, createTrust, type ClientFacts } from "./client.ts";

function told(facts: Partial<ClientFacts>): Record<string, string | undefined> {
  const list: string[] = [];
  addClient(list, { host: "shop.test", address: "192.0.2.7", protocol: "http", said: null, ...facts });
  return Object.fromEntries(
    list.flatMap((name, index) => (index % 2 === 0 ? [[name, list[index + 1]]] : [])),
  );
}

describe("what an instance is told about the client", () => {
  it("is what the proxy knows itself", () => {
    expect(told({ protocol: "https" })).toEqual({
      host: "shop.test",
      "x-forwarded-for": "192.0.2.7",
      "x-forwarded-proto": "https",
      "x-forwarded-host": "shop.test",
      forwarded: "for=192.0.2.7;host=shop.test;proto=https",
    });
  });

  it("has addresses and hosts in the form that Forwarded demands", () => {
    expect(told({ address: "2001:db8::1", host: "shop.test:8080" })["forwarded"]).toBe(
      'for="[2001:db8::1]";host="shop.test:8080";proto=http',
    );
    expect(told({ address: "unknown" })["forwarded"]).toMatch(/^for=unknown;/);
  });

  it("goes on from what a trusted proxy has said", () => {
    const said = { "x-forwarded-for": "198.51.100.1, 2001:db8::2", "x-forwarded-host": "outer.test" };
    expect(told({ said })).toMatchObject({
      "x-forwarded-for": "198.51.100.1, 2001:db8::2, 192.0.2.7",
      "x-forwarded-host": "outer.test",
      forwarded: 'for=198.51.100.1, for="[2001:db8::2]", for=192.0.2.7;host=shop.test;proto=http',
    });
    expect(told({ said: { forwarded: "for=_hidden" } })["forwarded"]).toMatch(
      /^for=_hidden, for=192\.0\.2\.7;/,
    );
  });
});

describe("trust", () => {
  const trust = createTrust(["10.0.0.0/8", "192.0.2.7", "fd00::/8"]);

  it.each(["10.1.2.3", "192.0.2.7", "fd12::1"])("is given to %s", (address) => {
    expect(trust(address)).toBe(true);
  });

  it.each(["11.0.0.1", "192.0.2.8", "fe80::1", "unknown", ""])("is not given to %j", (address) => {
    expect(trust(address)).toBe(false);
  });

  it("is given to nobody by default", () => {
    expect(createTrust([])("127.0.0.1")).toBe(false);
  });
});
