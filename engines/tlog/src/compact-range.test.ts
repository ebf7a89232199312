import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createCompactRange, hashTree } from "./compact-range.ts";
import { hashLeaf, type Hash } from "./hash.ts";
import { hashByDefinition } from "./testing/tree-by-definition.ts";

/** The leaves and roots that implementations of Certificate Transparency compare themselves with. */
const CT_LEAVES = [
  "",
  "00",
  "10",
  "2021",
  "3031",
  "40414243",
  "5051525354555657",
  "606162636465666768696a6b6c6d6e6f",
];
const CT_ROOTS = [
  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
  "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
  "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
  "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
  "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
  "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
  "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
  "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
  "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

function leafHashes(count: number): Hash[] {
  return Array.from({ length: count }, (_, index) => hashLeaf(Buffer.from(`entry ${index}`)));
}

describe("a tree that grows", () => {
  it("has the roots that are known of the eight leaves of Certificate Transparency", () => {
    const range = createCompactRange();
    const roots = [range.root()];
    for (const leaf of CT_LEAVES) {
      range.append(hashLeaf(Buffer.from(leaf, "hex")));
      roots.push(range.root());
    }
    expect(roots.map((root) => Buffer.from(root).toString("hex"))).toEqual(CT_ROOTS);
  });

  it("has the root of the definition at each size", () => {
    const leaves = leafHashes(130);
    const range = createCompactRange();
    for (const [index, leaf] of leaves.entries()) {
      range.append(leaf);
      expect(range.root()).toEqual(hashByDefinition(leaves.slice(0, index + 1)));
    }
  });

  it("takes whole subtrees in the place of their leaves", () => {
    const leaves = leafHashes(64 + 63);
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 6 }), fc.integer({ min: 0, max: 63 }), (level, rest) => {
        const [whole, after] = [leaves.slice(0, 64), leaves.slice(64, 64 + rest)];
        const range = createCompactRange();
        for (let at = 0; at < 64; at += 2 ** level)
          range.append(hashTree(whole.slice(at, at + 2 ** level)), level);
        for (const leaf of after) range.append(leaf);
        expect(range.root()).toEqual(hashByDefinition([...whole, ...after]));
      }),
    );
  });

  it("refuses a subtree where none can stand", () => {
    const [leaf] = leafHashes(1);
    const range = createCompactRange();
    if (leaf) range.append(leaf);
    expect(() => leaf && range.append(leaf, 3)).toThrow("cannot follow");
  });
});
