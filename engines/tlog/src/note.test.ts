import { describe, expect, it } from "vitest";
import { LogError } from "./log-error.ts";
import { addSignature, openNote, signNote } from "./note.ts";
import { cosignatureTime, createCosigner, createNoteKey, createSigner, createVerifier } from "./note-key.ts";

/** The example of golang.org/x/mod/sumdb/note. */
const GO = {
  skey: "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz",
  vkey: "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
  text: "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n",
  signature:
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n",
};
const ALICE = createNoteKey("alice.example/log", Buffer.alloc(32, 1));
const BOB = createNoteKey("bob.example", Buffer.alloc(32, 2));
const WITNESS = createNoteKey("witness.example/w1", Buffer.alloc(32, 3), "cosignature/v1");
const [alice, bob, witness] = [ALICE, BOB, WITNESS].map(({ vkey }) => createVerifier(vkey));
const NOON_MS = 1_679_315_147_900;

function verifiersOf(...vkeys: string[]) {
  return vkeys.map(createVerifier);
}

describe("a signed note", () => {
  it("is the one that Go's implementation makes of the same key and text", () => {
    expect(signNote(GO.text, [createSigner(GO.skey)])).toBe(`${GO.text}\n${GO.signature}`);
    const opened = openNote(`${GO.text}\n${GO.signature}`, verifiersOf(GO.vkey));
    expect(opened.text).toBe(GO.text);
    expect(opened.signatures).toMatchObject([{ name: "PeterNeumann", id: "c74f20a3" }]);
  });

  it("carries the signatures of several keys, and those of strangers are passed over", () => {
    const both = addSignature(signNote("hello\n", [createSigner(ALICE.skey)]), createSigner(BOB.skey));
    expect(openNote(both, verifiersOf(ALICE.vkey, BOB.vkey)).signatures).toHaveLength(2);
    expect(openNote(both, verifiersOf(BOB.vkey)).signatures).toMatchObject([{ name: "bob.example" }]);
  });

  it("counts a key once, however often it signed", () => {
    const twice = signNote("hello\n", [createSigner(ALICE.skey), createSigner(ALICE.skey)]);
    expect(openNote(twice, verifiersOf(ALICE.vkey)).signatures).toHaveLength(1);
  });

  it("may hold empty lines, since the last of them ends the text", () => {
    const note = signNote("one\n\ntwo\n\n", [createSigner(ALICE.skey)]);
    expect(openNote(note, verifiersOf(ALICE.vkey)).text).toBe("one\n\ntwo\n\n");
  });

  it("is refused when nobody who is trusted signed it, or when they signed something else", () => {
    const note = signNote("hello\n", [createSigner(ALICE.skey)]);
    const fault = expect.objectContaining({ fault: "unsigned" });
    expect(() => openNote(note, verifiersOf(BOB.vkey))).toThrow(fault);
    expect(() => openNote(note.replace("hello", "hallo"), verifiersOf(ALICE.vkey))).toThrow(fault);
    expect(() => openNote("hello\n\n", verifiersOf(ALICE.vkey))).toThrow(fault);
  });

  it("is refused when it is written in any other way than the one it has", () => {
    const note = signNote("hello\n", [createSigner(ALICE.skey)]);
    const others = [
      `\ufeff${note}`,
      note.replace("hello", "hel\rlo"),
      note.slice(0, -1),
      `${note}\n`,
      `${note}— \n`,
      note.replace("=\n", "\n"),
      note.replace(/(.)=\n$/, (_, last: string) => `${String.fromCharCode(last.charCodeAt(0) + 1)}=\n`),
      "",
    ];
    for (const other of others) {
      expect(() => openNote(other, verifiersOf(ALICE.vkey)), other).toThrow(LogError);
      expect(() => openNote(Buffer.from(other), verifiersOf(ALICE.vkey)), other).toThrow(LogError);
    }
    const bytes = Buffer.from(note);
    bytes[0] = 0xff;
    expect(() => openNote(bytes, verifiersOf(ALICE.vkey))).toThrow("UTF-8");
  });

  it("has limits on its length and its signatures", () => {
    const signer = createSigner(ALICE.skey);
    expect(() => openNote("x".repeat(1_000_001), verifiersOf(ALICE.vkey))).toThrow("longer");
    const crowded = signNote(
      "hello\n",
      Array.from({ length: 101 }, () => signer),
    );
    expect(() => openNote(crowded, verifiersOf(ALICE.vkey))).toThrow("more than 100 signatures");
  });

  it("cannot be made of text without an end", () => {
    expect(() => signNote("hello", [createSigner(ALICE.skey)])).toThrow("newline");
  });
});

describe("a cosignature", () => {
  const note = signNote("log.example\n1\nbjQLnP+zepicpUTmu3gKLHiQHT+zNzh2hRGjBhevoB0=\n", [
    createSigner(ALICE.skey),
  ]);

  it("says when a witness saw the text", () => {
    const cosigned = addSignature(
      note,
      createCosigner(WITNESS.skey, () => NOON_MS),
    );
    const { signatures } = openNote(cosigned, verifiersOf(ALICE.vkey, WITNESS.vkey));
    expect(signatures.map(({ name }) => name)).toEqual(["alice.example/log", "witness.example/w1"]);
    expect(cosignatureTime(signatures[1]?.bytes ?? Buffer.of())).toBe(1_679_315_147);
  });

  it("is signed over its time", () => {
    const cosigned = addSignature(
      note,
      createCosigner(WITNESS.skey, () => NOON_MS),
    );
    const line = cosigned.trimEnd().split("\n").at(-1) ?? "";
    const bytes = Buffer.from(line.split(" ")[2] ?? "", "base64");
    bytes[11] = (bytes[11] ?? 0) ^ 1;
    const later = cosigned.replace(line, `— witness.example/w1 ${bytes.toString("base64")}`);
    expect(() => openNote(later, verifiersOf(WITNESS.vkey))).toThrow("wrong");
  });

  it("is no signature of a note, nor the other way round", () => {
    expect(witness?.verify("hello\n", createSigner(ALICE.skey).sign("hello\n"))).toBe(false);
    expect(alice?.verify("hello\n", createCosigner(WITNESS.skey, () => NOON_MS).sign("hello\n"))).toBe(false);
    expect(() => createSigner(WITNESS.skey)).toThrow("needed is ed25519");
    expect(() => createCosigner(ALICE.skey, () => NOON_MS)).toThrow("needed is cosignature/v1");
  });
});

describe("a key of notes", () => {
  it("has another id under another name or for another purpose", () => {
    const seed = Buffer.alloc(32, 1);
    const same = createNoteKey("alice.example/other", seed);
    const cosigner = createNoteKey("alice.example/log", seed, "cosignature/v1");
    const ids = [ALICE, same, cosigner].map(({ vkey }) => createVerifier(vkey).id);
    expect(new Set(ids).size).toBe(3);
    expect(bob?.name).toBe("bob.example");
  });

  it("is refused with one wrong letter, and never says its secret", () => {
    for (const [index, letter] of ALICE.skey.split("").entries()) {
      const other = letter === "x" ? "y" : "x";
      const changed = `${ALICE.skey.slice(0, index)}${other}${ALICE.skey.slice(index + 1)}`;
      const secret = ALICE.skey.split("+").at(-1) ?? "";
      expect(() => createSigner(changed), changed).toThrow(
        expect.objectContaining({ message: expect.not.stringContaining(secret.slice(0, 8)) }),
      );
    }
    for (const [index, letter] of ALICE.vkey.split("").entries()) {
      const changed = `${ALICE.vkey.slice(0, index)}${letter === "x" ? "y" : "x"}${ALICE.vkey.slice(index + 1)}`;
      expect(() => createVerifier(changed), changed).toThrow("cannot be used");
    }
  });

  it("needs a name without spaces and plus, and 32 bytes", () => {
    for (const name of ["", "a b", "a+b", "a\u2003b", "a\nb"]) {
      expect(() => createNoteKey(name, Buffer.alloc(32))).toThrow("key name");
    }
    expect(() => createNoteKey("a", Buffer.alloc(31))).toThrow("32 random bytes");
  });
});
