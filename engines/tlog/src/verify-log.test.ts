import { describe, expect, it } from "vitest";
import { openCheckpoint, type SignedCheckpoint } from "./checkpoint.ts";
import type { MemoryStore } from "./testing/memory-store.ts";
import { createSampleLog, sampleEntries, TRUST } from "./testing/sample-log.ts";
import { verifyLog, type LogReport } from "./verify-log.ts";

function verify(source: MemoryStore, ...retained: SignedCheckpoint[]): Promise<LogReport> {
  return verifyLog({ source, trust: TRUST, retained });
}

async function checkpointOf(store: MemoryStore): Promise<SignedCheckpoint> {
  return openCheckpoint((await store.read("checkpoint")) ?? "", TRUST);
}

function flip(store: MemoryStore, path: string, at: number): void {
  const bytes = store.files.get(path);
  if (!bytes || at >= bytes.length) throw new Error(`${path} has no byte ${at}`);
  bytes[at] = (bytes[at] ?? 0) ^ 1;
}

describe("a log that nobody touched", () => {
  it("is whole, and says what it is", async () => {
    const store = await createSampleLog(sampleEntries(600));
    const kept = await checkpointOf(await createSampleLog(sampleEntries(300)));
    const empty = await checkpointOf(await createSampleLog([]));
    const report = await verify(store, kept, empty);
    expect(report).toMatchObject({ entries: 600, findings: [], findingsTotal: 0 });
    expect(report.checkpoint?.size).toBe(600);
  });
});

describe("a log that was altered", () => {
  it("names the entry that is another one", async () => {
    const store = await createSampleLog(sampleEntries(600));
    flip(store, "tile/entries/001", 30);
    const message = "entry 258 in tile/entries/001 is not the one of tile/0/001";
    expect((await verify(store)).findings).toEqual([{ fault: "altered", message }]);
  });

  it("names the tile that does not fit those below it", async () => {
    const store = await createSampleLog(sampleEntries(600));
    flip(store, "tile/1/000.p/2", 40);
    const message = "tile/1/000.p/2 is not made of the tiles below it";
    expect((await verify(store)).findings).toEqual([{ fault: "altered", message }]);
  });

  it("is not whole because entries and tiles were altered together", async () => {
    const store = await createSampleLog([...sampleEntries(599), Buffer.from("another")]);
    store.files.set(
      "checkpoint",
      Buffer.from((await checkpointOf(await createSampleLog(sampleEntries(600)))).note),
    );
    const { findings } = await verify(store);
    expect(findings).toMatchObject([{ message: "the tiles are not those that were signed at 600 entries" }]);
  });

  it("names the files that are missing, and goes on as long as it can", async () => {
    const store = await createSampleLog(sampleEntries(600));
    for (const path of ["tile/entries/000", "tile/0/001", "tile/1/000.p/2"]) store.files.delete(path);
    const report = await verify(store);
    expect(report.findings.map(({ message }) => message)).toEqual([
      "tile/entries/000 does not exist",
      "tile/0/001 does not exist",
      "tile/1/000.p/2 does not exist",
    ]);
    expect(report.entries).toBe(600);
    for (const path of ["tile/0/000"]) store.files.delete(path);
    expect(await verify(store)).toMatchObject({ entries: 0, findingsTotal: 2 });
  });

  it("lists a hundred findings and counts the rest", async () => {
    const store = await createSampleLog(sampleEntries(600));
    store.files.set(
      "tile/entries/000",
      (await createSampleLog(sampleEntries(256, "other"))).files.get("tile/entries/000") ?? Buffer.of(),
    );
    const report = await verify(store);
    expect([report.findings.length, report.findingsTotal]).toEqual([100, 256]);
  });

  it("is not looked at any further without a checkpoint that can be trusted", async () => {
    const store = await createSampleLog(sampleEntries(3));
    flip(store, "checkpoint", 60);
    expect(await verify(store)).toMatchObject({ checkpoint: null, entries: 0, findingsTotal: 1 });
    store.files.delete("checkpoint");
    expect((await verify(store)).findings).toEqual([{ fault: "missing", message: "there is no checkpoint" }]);
  });
});

describe("a history that was rewritten and signed again", () => {
  it("is noticed by whoever kept a checkpoint, and by nobody else", async () => {
    const kept = await checkpointOf(await createSampleLog(sampleEntries(300)));
    const rewritten = await createSampleLog([
      ...sampleEntries(10),
      Buffer.from("another"),
      ...sampleEntries(400),
    ]);
    expect((await verify(rewritten)).findings).toEqual([]);
    const message = "the first 300 entries are not those of the checkpoint that was kept";
    expect((await verify(rewritten, kept)).findings).toEqual([{ fault: "forked", message }]);
  });

  it("is noticed when only its end was cut off", async () => {
    const kept = await checkpointOf(await createSampleLog(sampleEntries(300)));
    const { findings } = await verify(await createSampleLog(sampleEntries(299)), kept);
    expect(findings).toEqual([{ fault: "truncated", message: "the log has 299 entries, and once had 300" }]);
  });

  it("is noticed when the log became another one", async () => {
    const kept = {
      ...(await checkpointOf(await createSampleLog(sampleEntries(3)))),
      origin: "log.example/other",
    };
    const { findings } = await verify(await createSampleLog(sampleEntries(3)), kept);
    expect(findings).toMatchObject([{ fault: "forked" }]);
  });
});
