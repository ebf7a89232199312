import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { openCheckpoint } from "./checkpoint.ts";
import type { LogStore } from "./log-store.ts";
import { createLogWriter, MAX_BATCH_ENTRIES, type LogWriter } from "./log-writer.ts";
import { createMemoryStore, type MemoryStore } from "./testing/memory-store.ts";
import { createSampleLog, sampleEntries, SIGNER, TRUST } from "./testing/sample-log.ts";
import { verifyLog } from "./verify-log.ts";

function writerOf(store: LogStore): LogWriter {
  return createLogWriter({ store, signer: SIGNER, trust: TRUST });
}

function sizeOf(store: MemoryStore): number {
  const note = store.files.get("checkpoint");
  return note === undefined ? 0 : openCheckpoint(note, TRUST).size;
}

/** What a log of this content has to consist of, without what partial tiles left behind. */
function currentFiles(store: MemoryStore, paths: Iterable<string>): unknown {
  return Object.fromEntries([...paths].toSorted().map((path) => [path, store.files.get(path)]));
}

async function complaintsOf(store: MemoryStore): Promise<unknown> {
  return (await verifyLog({ source: store, trust: TRUST })).findings;
}

describe("a log that is written", () => {
  it("consists of the same files however its entries were cut into batches", async () => {
    const entries = sampleEntries(700);
    const atOnce = await createSampleLog(entries);
    const cuts = fc.array(fc.integer({ min: 0, max: 700 }), { maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(cuts, async (unsorted) => {
        const store = createMemoryStore();
        let start = 0;
        for (const end of [...unsorted.toSorted((a, b) => a - b), 700]) {
          await writerOf(store).append({ firstIndex: start, entries: entries.slice(start, end) });
          start = end;
        }
        const paths = atOnce.files.keys();
        expect(currentFiles(store, paths)).toEqual(currentFiles(atOnce, atOnce.files.keys()));
      }),
      { numRuns: 20 },
    );
  });

  it("has the tiles that the specification lists", async () => {
    const store = await createSampleLog(sampleEntries(600));
    expect([...store.files.keys()].toSorted()).toEqual([
      "checkpoint",
      "tile/0/000",
      "tile/0/001",
      "tile/0/002.p/88",
      "tile/1/000.p/2",
      "tile/entries/000",
      "tile/entries/001",
      "tile/entries/002.p/88",
    ]);
  });

  it("may be empty, and says so with a signature", async () => {
    const store = createMemoryStore();
    const checkpoint = await writerOf(store).append({ firstIndex: 0, entries: [] });
    expect(checkpoint.size).toBe(0);
    expect([...store.files.keys()]).toEqual(["checkpoint"]);
    expect(await complaintsOf(store)).toEqual([]);
  });

  it("gets its checkpoint last", async () => {
    const store = await createSampleLog(sampleEntries(300));
    expect(store.written.at(-1)).toBe("checkpoint");
  });

  it("keeps partial tiles until the full one is there", async () => {
    const store = await createSampleLog(sampleEntries(100));
    await writerOf(store).append({ firstIndex: 100, entries: sampleEntries(200).slice(100) });
    expect([...store.files.keys()].filter((path) => path.includes(".p/"))).toHaveLength(4);
    await writerOf(store).append({ firstIndex: 200, entries: sampleEntries(256).slice(200) });
    expect([...store.files.keys()].filter((path) => path.includes(".p/"))).toEqual(["tile/1/000.p/1"]);
  });

  it("does not write the tiles again that did not change", async () => {
    const store = await createSampleLog(sampleEntries(300));
    store.written.length = 0;
    await writerOf(store).append({ firstIndex: 300, entries: sampleEntries(301).slice(300) });
    expect(store.written).toEqual(["tile/entries/001.p/45", "tile/0/001.p/45", "checkpoint"]);
  });
});

describe("a batch", () => {
  it("may be given again", async () => {
    const store = await createSampleLog(sampleEntries(300));
    store.written.length = 0;
    const checkpoint = await writerOf(store).append({ firstIndex: 0, entries: sampleEntries(300) });
    expect(checkpoint.size).toBe(300);
    expect(store.written).toEqual([]);
    await writerOf(store).append({ firstIndex: 250, entries: sampleEntries(310).slice(250) });
    expect(sizeOf(store)).toBe(310);
    expect(await complaintsOf(store)).toEqual([]);
  });

  it("is refused when it says something else about what is in the log, or leaves a gap", async () => {
    const store = await createSampleLog(sampleEntries(300));
    const other = { firstIndex: 299, entries: sampleEntries(2) };
    await expect(writerOf(store).append(other)).rejects.toMatchObject({ fault: "forked" });
    const later = { firstIndex: 301, entries: sampleEntries(1) };
    await expect(writerOf(store).append(later)).rejects.toMatchObject({ fault: "gap" });
    expect(sizeOf(store)).toBe(300);
  });

  it("is refused when it is too large, before anything is written", async () => {
    const store = createMemoryStore();
    const tooMany = Array.from({ length: MAX_BATCH_ENTRIES + 1 }, () => Buffer.of());
    await expect(writerOf(store).append({ firstIndex: 0, entries: tooMany })).rejects.toThrow(
      "at most 65536",
    );
    const tooLong = [Buffer.of(), Buffer.alloc(65_536)];
    await expect(writerOf(store).append({ firstIndex: 0, entries: tooLong })).rejects.toThrow(
      "entry 1 has more",
    );
    expect(store.written).toEqual([]);
  });

  it("is not built on tiles or entries that are not those that were signed", async () => {
    for (const path of ["tile/0/001.p/44", "tile/1/000.p/1", "tile/entries/001.p/44"]) {
      const store = await createSampleLog(sampleEntries(300));
      const bytes = store.files.get(path);
      if (bytes) bytes[5] = (bytes[5] ?? 0) ^ 1;
      const next = { firstIndex: 300, entries: sampleEntries(1) };
      await expect(writerOf(store).append(next), path).rejects.toMatchObject({ fault: "altered" });
      expect(store.files.has("tile/0/001.p/45")).toBe(false);
    }
  });

  it("is not added to a log that somebody else signed", async () => {
    const store = await createSampleLog(sampleEntries(3));
    const trust = { ...TRUST, origin: "log.example/other" };
    const writer = createLogWriter({ store, signer: SIGNER, trust });
    await expect(writer.append({ firstIndex: 3, entries: [] })).rejects.toMatchObject({ fault: "unsigned" });
  });
});

/** Loses power at the write with this number: nothing of it and nothing after it happens. */
function createFailingStore(store: MemoryStore, failingWrite: number): LogStore {
  let writes = 0;
  const act = async (run: () => Promise<void>) => {
    if (writes >= failingWrite) throw new Error("power is lost");
    writes += 1;
    await run();
  };
  return {
    read: store.read,
    write: (path, bytes) => act(() => store.write(path, bytes)),
    removeFolder: (path) => act(() => store.removeFolder(path)),
  };
}

describe("a loss of power", () => {
  it("at any write leaves a log that is whole, and goes on with the same batch or a larger one", async () => {
    const entries = sampleEntries(900);
    const expected = await createSampleLog(entries);
    const sizesSeen = new Set<number>();
    for (let failingWrite = 0; failingWrite < 14; failingWrite += 1) {
      const store = await createSampleLog(entries.slice(0, 200));
      const batch = { firstIndex: 200, entries: entries.slice(200, 600) };
      await writerOf(createFailingStore(store, failingWrite))
        .append(batch)
        .catch(() => null);
      sizesSeen.add(sizeOf(store));
      expect(await complaintsOf(store)).toEqual([]);
      await writerOf(store).append({ firstIndex: 200, entries: entries.slice(200, 200 + failingWrite * 50) });
      await writerOf(store).append({ firstIndex: 200, entries: entries.slice(200) });
      expect(currentFiles(store, expected.files.keys())).toEqual(
        currentFiles(expected, expected.files.keys()),
      );
    }
    expect([...sizesSeen]).toEqual([200, 600]);
  });
});
