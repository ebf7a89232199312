import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import {
  verifyConsistency,
  verifyInclusion,
  verifySubtreeConsistency,
  verifySubtreeInclusion,
} from "@mainstay/tlog";
import type { CaseResult, Suite } from "../suite.ts";

/** Hashes are in base64; a proof without any may be null. */
interface Vector {
  desc: string;
  wantErr: boolean;
  proof: string[] | null;
  root: string;
  root1: string;
  root2: string;
  leafHash: string;
  leafIdx: number;
  treeSize: number;
  size: number;
  size1: number;
  size2: number;
  start: number;
  end: number;
}

/** What the vectors of each folder of `testdata` claim. */
const VERIFY: Record<string, (vector: Vector) => boolean> = {
  inclusion: (vector) => verifyInclusion({ ...common(vector), index: vector.leafIdx, size: vector.treeSize }),
  consistency: (vector) => verifyConsistency({ ...common(vector), size1: vector.size1, size2: vector.size2 }),
  subtreeinclusion: (vector) =>
    verifySubtreeInclusion({ ...common(vector), index: vector.leafIdx, subtreeRoot: bytes(vector.root) }),
  subtreeconsistency: (vector) =>
    verifySubtreeConsistency({
      ...common(vector),
      size: vector.size,
      subtreeRoot: bytes(vector.root1),
      root: bytes(vector.root2),
    }),
};

/** Proofs that hold are accepted, and all others refused. */
export const suite: Suite = {
  about: "Inclusion, consistency and subtree proofs of transparency-dev/merkle against our verifiers",
  data: "merkle",
  async run({ dataFolder }) {
    const folder = join(dataFolder, "testdata");
    const files = await readdir(folder, { recursive: true });
    const vectors = files.filter((file) => file.endsWith(".json")).toSorted();
    return Promise.all(vectors.map((file) => judge(folder, file)));
  },
};

async function judge(folder: string, file: string): Promise<CaseResult> {
  const vector: Vector = JSON.parse(await readFile(join(folder, file), "utf8"));
  const verify = VERIFY[file.split("/")[0] ?? ""];
  const name = `${file}, ${vector.desc}`;
  if (verify === undefined) return { name, failure: "a kind of proof that nobody verifies" };
  const isProven = verify(vector);
  return { name, failure: isProven === !vector.wantErr ? null : `accepted: ${isProven}` };
}

function common(vector: Vector) {
  return {
    subtree: { start: vector.start, end: vector.end },
    root: bytes(vector.root),
    root1: bytes(vector.root1),
    root2: bytes(vector.root2),
    leafHash: bytes(vector.leafHash),
    proof: (vector.proof ?? []).map(bytes),
  };
}

/** A field that this kind of vector does not have is no hash at all. */
function bytes(base64 = ""): Uint8Array {
  return Buffer.from(base64, "base64");
}
