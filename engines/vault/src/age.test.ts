import { describe, expect, it } from "vitest";
import { createAgeIdentity, exportKeys, importKeys, openAge, sealAge } from "./age.ts";
import { createKey } from "./key.ts";
import { createSeededRandom } from "./testing/seeded-random.ts";

const random = createSeededRandom("age");
const keys = [createKey(random), createKey(random)];
const CHEAP = 4;

describe("keys exported through age", () => {
  it("come back with the identity of a recipient", async () => {
    const [one, other] = [await createAgeIdentity(), await createAgeIdentity()];
    const file = await exportKeys({ recipients: [one.recipient, other.recipient] }, keys);
    for (const { identity } of [one, other]) {
      const back = await importKeys({ identities: [identity] }, file);
      expect(back.map(({ id }) => id)).toEqual(keys.map(({ id }) => id));
      expect(back.every((key, index) => key.secret.equals(keys[index]!.secret))).toBe(true);
    }
  });

  it("come back with the passphrase", async () => {
    const file = await exportKeys({ passphrase: "correct horse", workFactorLog2: CHEAP }, keys);
    expect(file).toMatch(/^-----BEGIN AGE ENCRYPTED FILE-----\n/);
    const back = await importKeys({ passphrases: ["correct horse"] }, file);
    expect(back.map(({ id }) => id)).toEqual(keys.map(({ id }) => id));
  });

  it("do not come back with anything else", async () => {
    const [one, other] = [await createAgeIdentity(), await createAgeIdentity()];
    const file = await exportKeys({ recipients: [one.recipient] }, keys);
    await expect(importKeys({ identities: [other.identity] }, file)).rejects.toThrow("no identity matched");
    await expect(importKeys({}, file)).rejects.toMatchObject({ fault: "altered" });
    const locked = await exportKeys({ passphrase: "correct horse", workFactorLog2: CHEAP }, keys);
    await expect(importKeys({ passphrases: ["battery"] }, locked)).rejects.toMatchObject({
      fault: "altered",
    });
  });
});

describe("an age file", () => {
  it("opens in armor and without it", async () => {
    const { identity, recipient } = await createAgeIdentity();
    const armored = await sealAge({ recipients: [recipient] }, Buffer.from("hello"));
    const lines = armored.split("\n").slice(1, -2).join("");
    for (const file of [armored, Buffer.from(armored), `\n  ${armored}`, Buffer.from(lines, "base64")]) {
      expect(Buffer.from(await openAge({ identities: [identity] }, file)).toString()).toBe("hello");
    }
  });

  it("needs a recipient, and one that is one", async () => {
    await expect(sealAge({ recipients: [] }, Buffer.alloc(0))).rejects.toThrow("needs a recipient");
    await expect(sealAge({ recipients: ["age1x"] }, Buffer.alloc(0))).rejects.toThrow("no recipient of age");
  });

  it("is not opened with something that is no identity, which is not repeated", async () => {
    const opening = openAge({ identities: ["AGE-SECRET-KEY-1OOPS"] }, "");
    await expect(opening).rejects.toThrow(/^This is no identity of age/);
  });
});
