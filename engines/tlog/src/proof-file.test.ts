import { describe, expect, it } from "vitest";
import { openCheckpoint } from "./checkpoint.ts";
import { LogError } from "./log-error.ts";
import { formatProof, parseProof, proveEntry, verifyProof } from "./proof-file.ts";
import { createSampleLog, sampleEntries, TRUST } from "./testing/sample-log.ts";

const entries = sampleEntries(300);
const store = await createSampleLog(entries);
const checkpoint = openCheckpoint((await store.read("checkpoint")) ?? "", TRUST);

describe("a proof file", () => {
  it("proves an entry to those who have nothing but the key", async () => {
    for (const index of [0, 255, 256, 299]) {
      const file = await proveEntry(store, checkpoint, index);
      expect(verifyProof(file, Buffer.from(`entry ${index}`), TRUST).size).toBe(300);
      expect(() => verifyProof(file, Buffer.from("another"), TRUST)).toThrow(`is not entry ${index}`);
    }
  });

  it("is written as the specification wants it", async () => {
    const lines = (await proveEntry(store, checkpoint, 299)).split("\n");
    expect(lines.slice(0, 2)).toEqual(["c2sp.org/tlog-proof@v1", "index 299"]);
    expect(lines.indexOf("")).toBe(2 + 5);
    expect(lines.slice(8).join("\n")).toBe(checkpoint.note);
  });

  it("of a log of one entry needs no hashes", async () => {
    const small = await createSampleLog(sampleEntries(1));
    const signed = openCheckpoint((await small.read("checkpoint")) ?? "", TRUST);
    const file = await proveEntry(small, signed, 0);
    expect(file).toBe(`c2sp.org/tlog-proof@v1\nindex 0\n\n${signed.note}`);
    expect(verifyProof(file, Buffer.from("entry 0"), TRUST).size).toBe(1);
  });

  it("may carry something that nobody has signed", async () => {
    const proof = parseProof(await proveEntry(store, checkpoint, 7));
    const file = formatProof({ ...proof, extra: Buffer.from("salt") });
    expect(file.split("\n")[1]).toBe("extra c2FsdA==");
    expect(Buffer.from(parseProof(file).extra ?? []).toString()).toBe("salt");
    expect(verifyProof(file, Buffer.from("entry 7"), TRUST).size).toBe(300);
  });

  it("is not made of a log that was altered", async () => {
    const altered = await createSampleLog(sampleEntries(300));
    const bundle = altered.files.get("tile/entries/000");
    if (bundle) bundle[2] = 0;
    await expect(proveEntry(altered, checkpoint, 0)).rejects.toMatchObject({ fault: "altered" });
  });

  it("is refused when a line of it is not what it has to be", async () => {
    const file = await proveEntry(store, checkpoint, 7);
    const wrong = [
      "",
      file.replace("@v1", "@v2"),
      file.replace("index 7", "index 07"),
      file.replace("index 7", "index -7"),
      file.replace("index 7\n", ""),
      file.replace("\n\n", "\n"),
      file.replace("index 7\n", "index 7\nAAAA\n"),
      file.replace("index 7\n", "index 7\n!\n"),
      `\n${file}`,
    ];
    for (const text of wrong)
      expect(() => verifyProof(text, Buffer.from("entry 7"), TRUST), text).toThrow(LogError);
  });
});
