import { array, assert, integer, property, string, uint8Array } from "fast-check";
import { describe, expect, it } from "vitest";
import { encodeContext, type Context } from "./context.ts";
import { HEADER_BYTES, parseHeader, rewrap } from "./header.ts";
import { createKey } from "./key.ts";
import { createKeyring } from "./keyring.ts";
import { open, seal, WHOLE_LIMIT_BYTES } from "./seal.ts";
import { createSeededRandom } from "./testing/seeded-random.ts";
import { VaultError } from "./vault-error.ts";

const random = createSeededRandom("seal");
const [first, second] = [createKey(random), createKey(random)];
const keyring = createKeyring({ keys: [first], activeId: first.id });
const both = createKeyring({ keys: [first, second], activeId: second.id, generation: 7 });
const context = ["secrets", "value", "42"];
const sealing = { keyring, random, context };

const contexts = array(string({ maxLength: 12 }), { maxLength: 5 });
const plaintexts = uint8Array({ maxLength: 300 });

describe("a sealed value", () => {
  it("opens at its place", () => {
    assert(
      property(contexts, plaintexts, (place, plaintext) => {
        const sealed = seal({ ...sealing, context: place }, plaintext);
        expect(open({ keyring, context: place }, sealed)).toEqual(Buffer.from(plaintext));
      }),
    );
  });

  it("opens nowhere else", () => {
    assert(
      property(contexts, contexts, (place, other) => {
        if (encodeContext(place).equals(encodeContext(other))) return;
        const sealed = seal({ ...sealing, context: place }, Buffer.from("x"));
        expect(() => open({ keyring, context: other }, sealed)).toThrow("sealed for another place");
      }),
    );
  });

  it("does not open when any one of its bits is flipped", () => {
    const sealed = seal(sealing, Buffer.from("a secret of some length"));
    const accepted: number[] = [];
    for (let bit = 0; bit < sealed.length * 8; bit += 1) {
      const altered = Buffer.from(sealed);
      altered[bit >> 3]! ^= 1 << (bit & 7);
      if (!isRefused(altered)) accepted.push(bit);
    }
    expect(accepted).toEqual([]);
  });

  it("does not open when it was cut anywhere, or made longer", () => {
    const sealed = seal(sealing, Buffer.from("a secret of some length"));
    const sizes = Array.from(sealed.keys());
    expect(sizes.filter((size) => !isRefused(sealed.subarray(0, size)))).toEqual([]);
    expect(isRefused(Buffer.concat([sealed, Buffer.alloc(1)]))).toBe(true);
  });

  it("does not open when any of its bytes are replaced", () => {
    const sealed = seal(sealing, Buffer.alloc(40));
    assert(
      property(
        integer({ min: 0, max: sealed.length - 1 }),
        uint8Array({ minLength: 1, maxLength: 40 }),
        (at, bytes) => {
          const altered = Buffer.from(sealed);
          altered.set(bytes.subarray(0, sealed.length - at), at);
          if (altered.equals(sealed)) return;
          expect(isRefused(altered)).toBe(true);
        },
      ),
    );
  });

  it("says which key it needs when that one is not at hand", () => {
    const sealed = seal(sealing, Buffer.from("x"));
    const others = createKeyring({ keys: [second], activeId: second.id });
    expect(faultOf(() => open({ keyring: others, context }, sealed))).toMatchObject({
      fault: "unknown-key",
      message: expect.stringContaining(first.id),
    });
  });

  it("does not open with another key under the same id", () => {
    const sealed = seal(sealing, Buffer.from("x"));
    const impostor = { id: first.id, secret: second.secret };
    const others = createKeyring({ keys: [impostor], activeId: impostor.id });
    expect(faultOf(() => open({ keyring: others, context }, sealed)).fault).toBe("altered");
  });

  it("never looks the same twice", () => {
    const seen = new Set(
      Array.from({ length: 50 }, () => seal(sealing, Buffer.from("x")).toString("hex", 17)),
    );
    expect(seen.size).toBe(50);
  });

  it("is not made with a source of randomness that runs dry", () => {
    for (const short of [32, 12, 24]) {
      const dry = (size: number) => random(size === short ? size - 1 : size);
      expect(() => seal({ ...sealing, random: dry }, Buffer.from("x"))).toThrow(`in the place of ${short}`);
    }
  });

  it("that is too large for one piece is refused with the way out", () => {
    const tooLarge = Buffer.alloc(WHOLE_LIMIT_BYTES + 1);
    expect(() => seal(sealing, tooLarge)).toThrow("seal them as a stream");
  });

  it("cannot have its content moved behind the header of another", () => {
    const [one, other] = [seal(sealing, Buffer.from("one")), seal(sealing, Buffer.from("two"))];
    const mixed = Buffer.concat([one.subarray(0, HEADER_BYTES), other.subarray(HEADER_BYTES)]);
    expect(() => open({ keyring, context }, mixed)).toThrow("altered");
  });
});

describe("wrapping anew", () => {
  it("changes the header alone", () => {
    const sealed = seal(sealing, Buffer.from("x"));
    const rewrapped = rewrap({ keyring: both, random, context }, sealed);
    expect(parseHeader(rewrapped)).toEqual({ algorithm: "whole", keyId: second.id, generation: 0 });
    expect(rewrapped.subarray(HEADER_BYTES)).toEqual(sealed.subarray(HEADER_BYTES));
    const alone = createKeyring({ keys: [second], activeId: second.id });
    expect(open({ keyring: alone, context }, rewrapped).toString()).toBe("x");
  });

  it("refuses what belongs to another place", () => {
    const sealed = seal(sealing, Buffer.from("x"));
    expect(() => rewrap({ keyring: both, random, context: ["elsewhere"] }, sealed)).toThrow("another place");
  });
});

describe("a keyring", () => {
  it("seals in its generation", () => {
    expect(parseHeader(seal({ keyring: both, random, context }, Buffer.alloc(0))).generation).toBe(7);
  });

  it("needs its active key", () => {
    expect(() => createKeyring({ keys: [first], activeId: second.id })).toThrow("is not at hand");
  });

  it.each([-1, 0.5, 2 ** 32])("has no generation %s", (generation) => {
    expect(() => createKeyring({ keys: [first], activeId: first.id, generation })).toThrow("whole number");
  });
});

describe("a context", () => {
  it("never reads as another one", () => {
    const pairs: [Context, Context][] = [
      [["a", "b"], ["ab"]],
      [["a", ""], ["a"]],
      [[""], []],
      [
        ["a", "bc"],
        ["ab", "c"],
      ],
    ];
    for (const [one, other] of pairs) expect(encodeContext(one)).not.toEqual(encodeContext(other));
  });

  it("is made of well-formed text", () => {
    expect(() => encodeContext(["\ud800"])).toThrow("half of a surrogate pair");
    expect(encodeContext(["😀"])).toHaveLength(8);
  });
});

/** Whether it is refused as it should be; any other failure is one of the test. */
function isRefused(sealed: Buffer): boolean {
  try {
    open({ keyring, context }, sealed);
    return false;
  } catch (error) {
    if (error instanceof VaultError) return true;
    throw error;
  }
}

function faultOf(act: () => unknown): VaultError {
  try {
    act();
  } catch (error) {
    if (error instanceof VaultError) return error;
    throw error;
  }
  throw new Error("Nothing was refused.");
}
