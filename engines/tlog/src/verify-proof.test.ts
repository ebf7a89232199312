import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { hashLeaf, hashNode, type Hash } from "./hash.ts";
import { proofRanges, type Range } from "./proof-ranges.ts";
import { hashByDefinition } from "./testing/tree-by-definition.ts";
import {
  verifyConsistency,
  verifyInclusion,
  type ConsistencyClaim,
  type InclusionClaim,
} from "./verify-proof.ts";
import { verifySubtreeConsistency, verifySubtreeInclusion } from "./verify-subtree-proof.ts";

const MOST = 66;
const LEAVES = Array.from({ length: MOST }, (_, index) => hashLeaf(Buffer.from(`entry ${index}`)));

const SIZES = Array.from({ length: MOST }, (_, index) => index + 1);
const ROOTS = new Map<string, Hash>();

function rootOf({ start, end }: Range): Hash {
  const root = ROOTS.get(`${start}-${end}`) ?? hashByDefinition(LEAVES.slice(start, end));
  ROOTS.set(`${start}-${end}`, root);
  return root;
}

function prove(subtree: Range, size: number): Hash[] {
  return proofRanges(subtree, size).map(rootOf);
}

function indicesOf(size: number): number[] {
  return Array.from({ length: size }, (_, index) => index);
}

function inclusionClaim(index: number, size: number): InclusionClaim {
  const proof = prove({ start: index, end: index + 1 }, size);
  return {
    index,
    size,
    leafHash: LEAVES[index] ?? hashLeaf(Buffer.of()),
    root: rootOf({ start: 0, end: size }),
    proof,
  };
}

function consistencyClaim(size1: number, size2: number): ConsistencyClaim {
  const [older, newer] = [
    { start: 0, end: size1 },
    { start: 0, end: size2 },
  ];
  return { size1, size2, root1: rootOf(older), root2: rootOf(newer), proof: prove(older, size2) };
}

/** The subtrees of up to `size` entries whose width is a power of two or that end where the log ends. */
function subtreesOf(size: number): Range[] {
  const subtrees: Range[] = [];
  for (let width = 1; width <= size; width *= 2) {
    for (let start = 0; start < size; start += width) {
      for (let end = start + Math.floor(width / 2) + 1; end <= Math.min(size, start + width); end += 1) {
        subtrees.push({ start, end });
      }
    }
  }
  return subtrees;
}

const anyCase = fc
  .record({ size: fc.integer({ min: 1, max: MOST }), seed: fc.nat() })
  .map(({ size, seed }) => ({ size, index: seed % size }));

describe("a proof of inclusion", () => {
  it("holds for each entry of each log", () => {
    const claims = SIZES.flatMap((size) => indicesOf(size).map((index) => inclusionClaim(index, size)));
    expect(claims.filter((claim) => !verifyInclusion(claim))).toEqual([]);
  });

  it("holds for no other entry, index, size or root", () => {
    fc.assert(
      fc.property(anyCase, fc.integer({ min: 0, max: MOST }), ({ size, index }, other) => {
        const claim = inclusionClaim(index, size);
        if (other !== index) expect(verifyInclusion({ ...claim, index: other })).toBe(false);
        expect(verifyInclusion({ ...claim, leafHash: hashLeaf(Buffer.of(other)) })).toBe(false);
        expect(verifyInclusion({ ...claim, root: hashLeaf(Buffer.of(other)) })).toBe(false);
        expect(verifyInclusion({ ...claim, size: index })).toBe(false);
        expect(verifyInclusion({ ...claim, proof: [...claim.proof, claim.root] })).toBe(false);
        if (size > 1) expect(verifyInclusion({ ...claim, proof: claim.proof.slice(1) })).toBe(false);
      }),
    );
  });

  it("holds at sizes beyond 32 bits", () => {
    const size = 2 ** 40;
    const siblings = Array.from({ length: 40 }, (_, level) => hashLeaf(Buffer.of(level)));
    const leafHash = hashLeaf(Buffer.from("first"));
    const root = siblings.reduce((hash, sibling) => hashNode(hash, sibling), leafHash);
    expect(verifyInclusion({ index: 0, size, leafHash, root, proof: siblings })).toBe(true);
    expect(verifyInclusion({ index: 2 ** 33, size, leafHash, root, proof: siblings })).toBe(false);
  });

  it("is refused for numbers that are none", () => {
    const claim = inclusionClaim(0, 1);
    for (const size of [Number.NaN, -1, 1.5, 2 ** 53])
      expect(verifyInclusion({ ...claim, size })).toBe(false);
  });
});

describe("a proof of consistency", () => {
  it("holds between each two sizes of a log", () => {
    const claims = SIZES.flatMap((size2) =>
      indicesOf(size2).map((index) => consistencyClaim(index + 1, size2)),
    );
    expect(claims.filter((claim) => !verifyConsistency(claim))).toEqual([]);
  });

  it("does not hold for another beginning", () => {
    const claims = SIZES.flatMap((size2) =>
      indicesOf(size2 - 1).map((index) => consistencyClaim(index + 1, size2)),
    );
    const wrong = claims.map((claim) => ({ ...claim, root1: claim.root2 }));
    expect(wrong.filter(verifyConsistency)).toEqual([]);
  });

  it("cannot be made from the empty log", () => {
    const [root1, root2] = [rootOf({ start: 0, end: 0 }), rootOf({ start: 0, end: 3 })];
    expect(verifyConsistency({ size1: 0, size2: 3, root1, root2, proof: [] })).toBe(false);
    expect(verifyConsistency({ size1: 0, size2: 0, root1, root2: root1, proof: [] })).toBe(true);
  });
});

describe("a proof about a subtree", () => {
  it("holds for each subtree of each log", () => {
    const claims = SIZES.slice(0, 34).flatMap((size) => {
      const root = rootOf({ start: 0, end: size });
      return subtreesOf(size).map((subtree) => {
        return { subtree, size, subtreeRoot: rootOf(subtree), root, proof: prove(subtree, size) };
      });
    });
    expect(claims.filter((claim) => !verifySubtreeConsistency(claim))).toEqual([]);
    const shorter = claims.map((claim) => ({ ...claim, proof: claim.proof.slice(1) }));
    const accepted = shorter.filter(verifySubtreeConsistency);
    expect(accepted.filter(({ subtree, size }) => subtree.end - subtree.start < size)).toEqual([]);
  });

  it("shows each entry within it", () => {
    const subtree = { start: 32, end: 32 + 21 };
    for (let index = subtree.start; index < subtree.end; index += 1) {
      const inside = { start: index - subtree.start, end: index + 1 - subtree.start };
      const ranges = proofRanges(inside, subtree.end - subtree.start);
      const proof = ranges.map(({ start, end }) =>
        rootOf({ start: subtree.start + start, end: subtree.start + end }),
      );
      const leafHash = LEAVES[index] ?? hashLeaf(Buffer.of());
      const claim = { subtree, index, leafHash, subtreeRoot: rootOf(subtree), proof };
      expect(verifySubtreeInclusion(claim)).toBe(true);
      expect(verifySubtreeInclusion({ ...claim, index: index + 1 })).toBe(false);
    }
  });

  it("says of a single entry what a proof of inclusion says", () => {
    fc.assert(
      fc.property(anyCase, fc.nat(), fc.nat(7), ({ size, index }, seed, bit) => {
        const claim = inclusionClaim(index, size);
        const proof = claim.proof.map((hash) => Buffer.from(hash));
        const tampered = proof[seed % Math.max(1, proof.length * 2)];
        if (tampered) tampered[0] = (tampered[0] ?? 0) ^ (1 << bit);
        const isIncluded = verifyInclusion({ ...claim, proof });
        const subtree = { start: index, end: index + 1 };
        const { leafHash: subtreeRoot, root } = claim;
        expect(verifySubtreeConsistency({ subtree, size, subtreeRoot, root, proof })).toBe(isIncluded);
        expect(isIncluded).toBe(tampered === undefined);
      }),
    );
  });

  it("says of a prefix what a proof of consistency says", () => {
    fc.assert(
      fc.property(anyCase, fc.nat(), ({ size, index }, seed) => {
        const end = index + 1;
        const proof = prove({ start: 0, end }, size).toSpliced(seed % 9, seed % 2);
        const [root1, root2] = [rootOf({ start: 0, end }), rootOf({ start: 0, end: size })];
        const claim = { subtree: { start: 0, end }, size, subtreeRoot: root1, root: root2, proof };
        expect(verifySubtreeConsistency(claim)).toBe(
          verifyConsistency({ size1: end, size2: size, root1, root2, proof }),
        );
      }),
    );
  });

  it("is refused for what is no subtree", () => {
    const [subtreeRoot, root] = [rootOf({ start: 1, end: 3 }), rootOf({ start: 0, end: 8 })];
    const claim = { subtree: { start: 1, end: 3 }, size: 8, subtreeRoot, root, proof: [] };
    expect(verifySubtreeConsistency(claim)).toBe(false);
    expect(verifySubtreeConsistency({ ...claim, subtree: { start: 8, end: 16 } })).toBe(false);
  });
});
