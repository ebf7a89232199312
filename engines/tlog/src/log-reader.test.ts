import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { hashEmpty, hashLeaf, type Hash } from "./hash.ts";
import { createLogReader } from "./log-reader.ts";
import { createLogWriter } from "./log-writer.ts";
import { createMemoryStore } from "./testing/memory-store.ts";
import { createSampleLog, sampleEntries, SIGNER, TRUST } from "./testing/sample-log.ts";
import { hashByDefinition } from "./testing/tree-by-definition.ts";
import { verifyConsistency, verifyInclusion } from "./verify-proof.ts";
import { verifySubtreeConsistency, verifySubtreeInclusion } from "./verify-subtree-proof.ts";

const SIZE = 1_300;
const entries = sampleEntries(SIZE);
const leaves = entries.map(hashLeaf);
/** Sizes of which a checkpoint was signed, on all sides of the borders of tiles. */
const SIZES = [
  1,
  2,
  3,
  7,
  100,
  255,
  256,
  257,
  300,
  511,
  512,
  513,
  640,
  767,
  768,
  1_000,
  1_023,
  1_024,
  1_025,
  SIZE,
];
const store = createMemoryStore();
const writer = createLogWriter({ store, signer: SIGNER, trust: TRUST });
for (const [at, size] of SIZES.entries()) {
  const firstIndex = SIZES[at - 1] ?? 0;
  await writer.append({ firstIndex, entries: entries.slice(firstIndex, size) });
}
const roots = new Map(SIZES.map((size) => [size, hashByDefinition(leaves.slice(0, size))]));
const anySize = fc.constantFrom(...SIZES);

function rootOf(size: number): Hash {
  return roots.get(size) ?? hashEmpty();
}

describe("a log that is read", () => {
  it("proves each entry, at any size that was signed", async () => {
    await fc.assert(
      fc.asyncProperty(anySize, fc.nat(), async (size, seed) => {
        const index = seed % size;
        const reader = createLogReader(store, size);
        const root = rootOf(size);
        const proof = await reader.proveInclusion(index);
        const entry = await reader.entryAt(index);
        expect(Buffer.from(entry).toString()).toBe(`entry ${index}`);
        expect(verifyInclusion({ index, size, leafHash: hashLeaf(entry), root, proof })).toBe(true);
      }),
    );
  });

  it("proves that it goes on from any size that was signed", async () => {
    await fc.assert(
      fc.asyncProperty(anySize, anySize, async (one, other) => {
        const [size1, size2] = [Math.min(one, other), Math.max(one, other)];
        const reader = createLogReader(store, size2);
        const root1 = await reader.hashOf({ start: 0, end: size1 });
        const root2 = rootOf(size2);
        const proof = await reader.proveConsistency(size1);
        expect(root1).toEqual(rootOf(size1));
        expect(verifyConsistency({ size1, size2, root1, root2, proof })).toBe(true);
      }),
    );
  });

  it("proves subtrees, and entries within them", async () => {
    const root = rootOf(SIZE);
    const reader = createLogReader(store, SIZE);
    for (const subtree of [
      { start: 0, end: 700 },
      { start: 256, end: 512 },
      { start: 1_024, end: 1_300 },
    ]) {
      const subtreeRoot = await reader.hashOf(subtree);
      const proof = await reader.proveSubtreeConsistency(subtree);
      expect(verifySubtreeConsistency({ subtree, size: SIZE, subtreeRoot, root, proof })).toBe(true);
      const index = subtree.end - 3;
      const inside = await reader.proveSubtreeInclusion(subtree, index);
      const leafHash = hashLeaf(Buffer.from(`entry ${index}`));
      expect(verifySubtreeInclusion({ subtree, index, leafHash, subtreeRoot, proof: inside })).toBe(true);
    }
  });

  it("has nothing to prove about the empty log and about itself", async () => {
    const reader = createLogReader(store, SIZE);
    expect(await reader.proveConsistency(0)).toEqual([]);
    expect(await reader.proveConsistency(SIZE)).toEqual([]);
  });

  it("refuses what it does not hold", async () => {
    const reader = createLogReader(store, 100);
    await expect(reader.entryAt(100)).rejects.toMatchObject({ fault: "missing" });
    await expect(reader.proveInclusion(-1)).rejects.toMatchObject({ fault: "missing" });
    await expect(reader.proveConsistency(101)).rejects.toMatchObject({ fault: "missing" });
    await expect(reader.hashOf({ start: 1, end: 3 })).rejects.toThrow("[1, 3) is no subtree of [0, 100)");
    await expect(reader.proveSubtreeInclusion({ start: 4, end: 8 }, 8)).rejects.toThrow("[8, 9)");
  });

  it("says which file is missing or too short", async () => {
    const damaged = await createSampleLog(sampleEntries(300));
    damaged.files.delete("tile/0/001.p/44");
    await expect(createLogReader(damaged, 300).proveInclusion(299)).rejects.toThrow(
      "tile/0/001.p/44 does not exist",
    );
    damaged.files.set("tile/0/000", Buffer.alloc(31));
    await expect(createLogReader(damaged, 300).proveInclusion(1)).rejects.toThrow("31 bytes instead of 8192");
    damaged.files.set("tile/entries/000", Buffer.of(0, 0));
    await expect(createLogReader(damaged, 300).entryAt(1)).rejects.toThrow("holds 1 entries instead of 256");
  });
});
