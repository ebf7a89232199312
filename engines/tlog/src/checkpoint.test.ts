import { describe, expect, it } from "vitest";
import { formatCheckpoint, openCheckpoint, parseCheckpoint } from "./checkpoint.ts";
import { hashLeaf } from "./hash.ts";
import { addSignature, signNote } from "./note.ts";
import { createCosigner, createNoteKey, createSigner, createVerifier } from "./note-key.ts";
import { KEY, SIGNER, TRUST } from "./testing/sample-log.ts";

const ROOT = hashLeaf(Buffer.from("root"));
const CHECKPOINT = { origin: TRUST.origin, size: 20_852_163, root: ROOT, extensions: [] };
const NOTE = signNote(formatCheckpoint(CHECKPOINT), [SIGNER]);

function signed(lines: string[]): string {
  return signNote(`${lines.join("\n")}\n`, [SIGNER]);
}

describe("a checkpoint", () => {
  it("is three lines, and more if somebody adds them", () => {
    const base64 = Buffer.from(ROOT).toString("base64");
    expect(formatCheckpoint(CHECKPOINT)).toBe(`log.example/audit\n20852163\n${base64}\n`);
    const extended = { ...CHECKPOINT, extensions: ["one", "two"] };
    expect(parseCheckpoint(formatCheckpoint(extended))).toEqual({ ...extended, root: Buffer.from(ROOT) });
  });

  it("is opened for those who trust the key of the log", () => {
    expect(openCheckpoint(Buffer.from(NOTE), TRUST)).toMatchObject({ size: 20_852_163, note: NOTE });
    const stranger = createNoteKey(TRUST.origin, Buffer.alloc(32, 9));
    const trust = { ...TRUST, keys: [createVerifier(stranger.vkey)] };
    expect(() => openCheckpoint(NOTE, trust)).toThrow("no key that is trusted");
  });

  it("is not the one of another log with the same key", () => {
    expect(() => openCheckpoint(NOTE, { ...TRUST, origin: "log.example/other" })).toThrow(
      "not of log.example/other",
    );
  });

  it("is opened with the old key and with the new one while a key is replaced", () => {
    const next = createNoteKey(TRUST.origin, Buffer.alloc(32, 9));
    const trust = { ...TRUST, keys: [createVerifier(KEY.vkey), createVerifier(next.vkey)] };
    const later = signNote(formatCheckpoint(CHECKPOINT), [createSigner(next.skey)]);
    for (const note of [NOTE, later]) expect(openCheckpoint(note, trust).size).toBe(20_852_163);
  });

  it("needs as many witnesses as were asked for, and the log itself", () => {
    const keys = [1, 2].map((seed) =>
      createNoteKey(`w${seed}.example`, Buffer.alloc(32, seed), "cosignature/v1"),
    );
    const witnesses = keys.map(({ vkey }) => createVerifier(vkey));
    const [one, two] = keys.map(({ skey }) => createCosigner(skey, () => 0));
    if (!one || !two) throw new Error("two witnesses");
    const trust = { ...TRUST, witnesses, quorum: 2 };
    expect(() => openCheckpoint(addSignature(NOTE, one), trust)).toThrow("1 of 2 witnesses");
    expect(openCheckpoint(addSignature(addSignature(NOTE, one), two), trust).size).toBe(20_852_163);
    const withoutLog = signNote(formatCheckpoint(CHECKPOINT), [one, two]);
    expect(() => openCheckpoint(withoutLog, trust)).toThrow("the log itself has not signed");
  });

  it("is refused when a line of it is not what it has to be, whoever signed it", () => {
    const [origin, base64] = [TRUST.origin, Buffer.from(ROOT).toString("base64")];
    const wrong = [
      [origin, "1"],
      [origin, "01", base64],
      [origin, "-1", base64],
      [origin, "1e3", base64],
      [origin, "9007199254740992", base64],
      [origin, "1", base64.slice(0, -1)],
      [origin, "1", "AAAA"],
      [origin, "1", base64, ""],
      ["", "1", base64],
    ];
    for (const lines of wrong) expect(() => openCheckpoint(signed(lines), TRUST), String(lines)).toThrow();
  });
});
