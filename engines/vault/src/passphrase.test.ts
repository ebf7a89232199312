import { describe, expect, it } from "vitest";
import { lockByPassphrase, openByPassphrase, RECOMMENDED_COST } from "./passphrase.ts";
import { createSeededRandom } from "./testing/seeded-random.ts";

const CHEAP = { memoryKib: 16, passes: 1, lanes: 2 };
const random = createSeededRandom("passphrase");

describe("a passphrase", () => {
  it("gives the key of its lock again", async () => {
    const { key, lock } = await lockByPassphrase("correct horse", random, CHEAP);
    const opened = await openByPassphrase("correct horse", lock);
    expect(opened.id).toBe(key.id);
    expect(opened.secret.equals(key.secret)).toBe(true);
  });

  it("gives another key with every lock", async () => {
    const first = await lockByPassphrase("correct horse", random, CHEAP);
    const second = await lockByPassphrase("correct horse", random, CHEAP);
    expect(first.key.id).not.toBe(second.key.id);
  });

  it("that is another one is refused", async () => {
    const { lock } = await lockByPassphrase("correct horse", random, CHEAP);
    await expect(openByPassphrase("correct hors", lock)).rejects.toMatchObject({ fault: "wrong-passphrase" });
  });

  it("is the same however the keyboard composes its letters", async () => {
    const { key, lock } = await lockByPassphrase("caf\u00e9", random, CHEAP);
    expect((await openByPassphrase("cafe\u0301", lock)).id).toBe(key.id);
  });

  it("is made expensive by the second recommended option of RFC 9106", async () => {
    expect(RECOMMENDED_COST).toEqual({ memoryKib: 65_536, passes: 3, lanes: 4 });
    const { lock } = await lockByPassphrase("correct horse", random);
    expect(lock).toMatch(/^\$vault-argon2id\$v=19\$m=65536,t=3,p=4\$[^$]{22}\$[^$]{22}$/);
  });

  it.each(["m=9999999,t=1,p=1", "m=16,t=99,p=1", "m=4096,t=1,p=99", "m=8,t=1,p=2", "m=16,t=0,p=1"])(
    "is not tried with the cost %s, which a hostile lock may name",
    async (cost) => {
      const lock = `$vault-argon2id$v=19$${cost}$${"A".repeat(22)}$${"A".repeat(22)}`;
      await expect(openByPassphrase("x", lock)).rejects.toThrow("is refused");
    },
  );

  it("is not tried against something that is no lock", async () => {
    await expect(openByPassphrase("x", "$argon2id$v=19$m=16")).rejects.toMatchObject({ fault: "malformed" });
  });
});
