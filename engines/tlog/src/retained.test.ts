import { describe, expect, it } from "vitest";
import { openCheckpoint, type SignedCheckpoint } from "./checkpoint.ts";
import { createLogReader } from "./log-reader.ts";
import { checkExtension } from "./retained.ts";
import type { MemoryStore } from "./testing/memory-store.ts";
import { createSampleLog, sampleEntries, TRUST } from "./testing/sample-log.ts";

async function checkpointOf(store: MemoryStore): Promise<SignedCheckpoint> {
  return openCheckpoint((await store.read("checkpoint")) ?? "", TRUST);
}

const shorter = await checkpointOf(await createSampleLog(sampleEntries(100)));
const log = await createSampleLog(sampleEntries(300));
const longer = await checkpointOf(log);
const proof = await createLogReader(log, 300).proveConsistency(100);

describe("a checkpoint that was kept", () => {
  it("is the beginning of the log that goes on from it", () => {
    expect(() => checkExtension({ retained: shorter, current: longer, proof })).not.toThrow();
    expect(() => checkExtension({ retained: longer, current: longer, proof: [] })).not.toThrow();
  });

  it("may be that of the empty log", async () => {
    const empty = await checkpointOf(await createSampleLog([]));
    expect(() => checkExtension({ retained: empty, current: longer, proof: [] })).not.toThrow();
  });

  it("shows that a log lost its end", () => {
    expect(() => checkExtension({ retained: longer, current: shorter, proof })).toThrow(
      expect.objectContaining({ fault: "truncated", message: "the log has 100 entries, and once had 300" }),
    );
  });

  it("shows that a log was written anew, even by its own key", async () => {
    const rewritten = await createSampleLog([Buffer.from("another"), ...sampleEntries(300).slice(1)]);
    const current = await checkpointOf(rewritten);
    const claim = {
      retained: shorter,
      current,
      proof: await createLogReader(rewritten, 300).proveConsistency(100),
    };
    expect(() => checkExtension(claim)).toThrow(expect.objectContaining({ fault: "forked" }));
    expect(() => checkExtension({ retained: longer, current, proof: [] })).toThrow("was not shown to go on");
  });

  it("says nothing about another log", () => {
    const other = { ...longer, origin: "log.example/other" };
    expect(() => checkExtension({ retained: shorter, current: other, proof })).toThrow("another log");
  });
});
