import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parseKey } from "./key.ts";
import { createKeyring } from "./keyring.ts";
import { openByPassphrase } from "./passphrase.ts";
import { seal } from "./seal.ts";
import { sealStream } from "./stream.ts";
import { collect, inPieces } from "./testing/streams.ts";

/** The examples of the format: indented lines, joined within a block. */
const page = readFileSync(join(import.meta.dirname, "../../../docs/formats/vault.md"), "utf8");
const examples = page.slice(page.indexOf("## Examples"));
const [keyLine = "", whole = "", chunked = "", lock = ""] = [...examples.matchAll(/(?:^ {4}.+\n)+/gm)].map(
  ([block]) => block.trim().replace(/\n {4}/g, ""),
);

const key = parseKey(keyLine);
const keyring = createKeyring({ keys: [key], activeId: key.id, generation: 1 });
const plaintext = Buffer.from("attack at dawn");

function repeating(first: number) {
  let next = first;
  return (sizeBytes: number) => Buffer.alloc(sizeBytes, next++);
}

describe("the examples of the format", () => {
  it("have the key of the bytes 0 to 31", () => {
    expect(key.secret.export()).toEqual(Buffer.from(Array.from({ length: 32 }, (_, index) => index)));
  });

  it("have what is sealed in one piece", () => {
    const sealing = { keyring, random: repeating(0x40), context: ["table", "column", "row"] };
    expect(seal(sealing, plaintext).toString("hex")).toBe(whole);
  });

  it("have what is sealed as a stream", async () => {
    const sealing = { keyring, random: repeating(0x60), context: ["file", "base.tar"] };
    const sealed = await collect(sealStream(sealing, inPieces(plaintext, [5])));
    expect(sealed.toString("hex")).toBe(chunked);
  });

  it("have the lock of a passphrase", async () => {
    const opened = await openByPassphrase("correct horse battery staple", lock);
    expect(opened.id).toBe("290075a6c8bcd721");
  });
});
