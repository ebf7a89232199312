import { describe, expect, it } from "vitest";
import { canonicalJson } from "./canonical-json.ts";
import { diffRecords } from "./diff.ts";
import { digestOf, leafOf } from "./leaf.ts";
import { restorePersonal, saltPersonal, separatePersonal } from "./personal.ts";

describe("canonical JSON", () => {
  it("agrees with the examples of RFC 8785, sections 3.2.2 and 3.2.3", () => {
    const numbers = [Number("333333333.33333329"), 1e30, 4.5, 2e-3, 0.000000000000000000000000001];
    expect(canonicalJson({ numbers, literals: [null, true, false] })).toBe(
      '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27]}',
    );
    const sorted = { "\u20ac": 1, "\r": 2, "\ufb33": 3, "1": 4, "\ud83d\ude00": 5, "\u0080": 6, "\u00f6": 7 };
    expect(
      Object.values(JSON.parse(canonicalJson(Object.entries(sorted).map(([k, v]) => ({ [k]: v }))))),
    ).toHaveLength(7);
    expect([...canonicalJson(sorted).matchAll(/:([0-9])/g)].map(([, digit]) => Number(digit))).toEqual([
      2, 4, 6, 7, 1, 5, 3,
    ]);
  });

  it("refuses what JSON cannot say", () => {
    expect(() => canonicalJson({ at: Number.NaN })).toThrow("JSON knows no such number");
  });
});

describe("a leaf", () => {
  const person = { type: "user", id: 'usr_\u2028"1', name: null };
  const entry = {
    ...{ id: "aud_1", index: 7, at: "2026-11-21T10:00:00.000Z", actor: person, onBehalfOf: null },
    ...{ action: "changes.undone", resource: { type: "change", id: "chg_7" }, environment: null },
    ...{
      service: "shop",
      change: null,
      before: null,
      after: { weight: 1 },
      reason: "héllo",
      requestId: null,
    },
    ...{ stepUp: null, personal: { "/address": "9c41", "/actor/name": "52be" }, salt: "00ff" },
  };

  it("is the canonical JSON of what it tells", () => {
    for (const onBehalfOf of [null, { type: "key", id: "mk_1", name: "ci" }]) {
      const { salt, before: _, after, reason, stepUp: __, ...plain } = { ...entry, onBehalfOf };
      const details = { after: digestOf(salt, canonicalJson(after)), reason: digestOf(salt, `"${reason}"`) };
      expect(leafOf({ ...entry, onBehalfOf }).toString()).toBe(canonicalJson({ v: 1, ...plain, details }));
    }
  });

  it("tells of details the SHA-256 of the bytes of the salt and the text behind them", () => {
    // printf '\x00\xffh\xc3\xa9' | sha256sum
    expect(digestOf("00ff", "h\u00e9")).toBe(
      "61d5556fbddd6cde1a9c18a3323340edf8551a6fd453fd6df51d9e4acb0cff5c",
    );
  });
});

describe("personal data", () => {
  const entry = {
    actor: { type: "user", id: "usr_1", name: "Ada" },
    action: "identity.user_invited",
    resource: { type: "user", id: "usr_2" },
    after: { name: "Grace", role: "viewer", "emails/all": [{ email: "grace@example.com" }] },
    address: "192.0.2.7",
  };

  it("is taken out of its places, each value with whom it belongs to", () => {
    const { entry: separated, personal } = separatePersonal(entry);
    expect(personal).toEqual([
      { field: "/actor/name", person: "usr_1", value: "Ada" },
      { field: "/after/name", person: "usr_2", value: "Grace" },
      { field: "/after/emails~1all/0/email", person: "usr_2", value: "grace@example.com" },
      { field: "/address", person: "usr_1", value: "192.0.2.7" },
    ]);
    expect(JSON.stringify(separated)).not.toMatch(/Ada|[Gg]race|192/);
  });

  it("comes back where it stood", () => {
    const { entry: separated, personal } = separatePersonal(entry);
    restorePersonal(separated, new Map(personal.map(({ field, value }) => [field, value])));
    expect(separated).toMatchObject(entry);
  });

  it("is kept under a salt for each value, and told as the hash of both", () => {
    let drawn = 0;
    const random = (sizeBytes: number): Uint8Array => new Uint8Array(sizeBytes).fill((drawn += 1));
    const { personal } = separatePersonal({ ...entry, after: null });
    const salted = saltPersonal(personal, random);
    const [one, two] = ["01", "02"].map((byte) => byte.repeat(16));
    expect(salted.disclosed).toEqual({
      "/actor/name": { person: "usr_1", salt: one, value: "Ada" },
      "/address": { person: "usr_1", salt: two, value: "192.0.2.7" },
    });
    expect(salted.personal).toEqual({
      "/actor/name": digestOf(one ?? "", "Ada"),
      "/address": digestOf(two ?? "", "192.0.2.7"),
    });
    expect(saltPersonal([], random)).toEqual({ personal: null, disclosed: null });
  });

  it("is not the name of a key or of a service", () => {
    const byKey = {
      ...entry,
      actor: { type: "key", id: "k", name: "ci" },
      resource: { type: "service", id: "s" },
    };
    const { personal } = separatePersonal({ ...byKey, address: null, after: { name: "shop" } });
    expect(personal).toEqual([]);
  });
});

describe("the difference of two records", () => {
  it("names every field that was altered, added or taken away", () => {
    const before = { weight: 10, env: { PORT: "1", HOST: "a" }, tags: ["x"] };
    const after = { weight: 20, env: { PORT: "1", NAME: "b" }, tags: ["x"] };
    expect(diffRecords(before, after)).toEqual([
      { path: "weight", before: 10, after: 20 },
      { path: "env.HOST", before: "a", after: null },
      { path: "env.NAME", before: null, after: "b" },
    ]);
  });

  it("is nothing for the same, and everything for what is new", () => {
    expect(diffRecords({ a: 1 }, { a: 1 })).toEqual([]);
    expect(diffRecords(null, { a: 1 })).toEqual([{ path: "a", before: null, after: 1 }]);
  });
});
