import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  createLogWriter,
  createNoteKey,
  createSigner,
  createVerifier,
  proveEntry,
  type SignedCheckpoint,
} from "@mainstay/tlog";
import type { CaseResult, Suite } from "../suite.ts";
import { createFolderStore } from "./folder-store.ts";
import { createGoVerifier, createStandAloneVerifier, type Question, type Verifier } from "./verifiers.ts";

const ORIGIN = "log.example/conformance";
const KEY = createNoteKey(ORIGIN, Buffer.alloc(32, 1));
const TRUST = { origin: ORIGIN, keys: [createVerifier(KEY.vkey)] };
/** Around the borders of tiles, and one that needs three levels of them; the last is tampered with. */
const SIZES = [1, 2, 255, 256, 257, 600, 65_537, 1_000];

/** What the engine writes is believed by code that shares no line with it, and no longer after a change. */
export const suite: Suite = {
  about: "Logs of the engine against golang.org/x/mod/sumdb and against the verifier of the documentation",
  debianPackages: ["golang-go", "golang-golang-x-mod-dev"],
  async run({ repositoryFolder }) {
    const root = await mkdtemp(join(tmpdir(), "tlog-"));
    try {
      const verifiers = [await createGoVerifier(root), createStandAloneVerifier(repositoryFolder)];
      const results: CaseResult[] = [];
      let question: Question | null = null;
      for (const size of SIZES) {
        question = await writeLog(join(root, String(size)), size);
        results.push(
          ...(await judge(verifiers, question, { name: `a log of ${size} entries`, isWhole: true })),
        );
      }
      if (question !== null) results.push(...(await judgeTampering(verifiers, question)));
      return results;
    } finally {
      await rm(root, { recursive: true });
    }
  },
};

/** In two halves, the first of which is kept; proofs of the first, the middle and the last entry. */
async function writeLog(folder: string, size: number): Promise<Question> {
  const store = createFolderStore(folder);
  const writer = createLogWriter({ store, signer: createSigner(KEY.skey), trust: TRUST });
  const entries = Array.from({ length: size }, (_, index) => Buffer.from(`entry ${index}`));
  const first = await append(writer.append, entries.slice(0, Math.ceil(size / 2)), 0);
  const last = await append(writer.append, entries.slice(first.size), first.size);
  const kept = `${folder}.checkpoint`;
  await writeFile(kept, first.note);
  const indices = new Set([0, Math.floor(size / 2), size - 1]);
  const proofs = await Promise.all(
    [...indices].map(async (index) => {
      const path = `${folder}.${index}.tlog-proof`;
      await writeFile(path, await proveEntry(store, last, index));
      return path;
    }),
  );
  return { folder, vkey: KEY.vkey, checkpoints: [kept], proofs };
}

type Append = ReturnType<typeof createLogWriter>["append"];

function append(write: Append, entries: readonly Buffer[], firstIndex: number): Promise<SignedCheckpoint> {
  return write({ firstIndex, entries });
}

async function judge(
  verifiers: readonly Verifier[],
  question: Question,
  { name, isWhole }: { name: string; isWhole: boolean },
): Promise<CaseResult[]> {
  return Promise.all(
    verifiers.map(async (verifier) => {
      const complaint = await verifier.verify(question);
      const unnoticed = complaint === null ? "it was not noticed" : null;
      return { name: `${name}, ${verifier.name}`, failure: isWhole ? complaint : unnoticed };
    }),
  );
}

/** One bit of each kind of file, and a log that lost its end. */
async function judgeTampering(verifiers: readonly Verifier[], question: Question): Promise<CaseResult[]> {
  const [checkpoint = "", proof = ""] = [question.checkpoints[0], question.proofs[0]];
  const paths = ["checkpoint", "tile/0/001", "tile/1/000.p/3", "tile/entries/002"].map((path) =>
    join(question.folder, path),
  );
  const results: CaseResult[] = [];
  for (const path of [...paths, checkpoint, proof]) {
    const before = await readFile(path);
    const after = Buffer.from(before);
    const at = Math.floor(after.length / 2);
    after[at] = (after[at] ?? 0) ^ 1;
    await writeFile(path, after);
    results.push(...(await judge(verifiers, question, { name: `a bit of ${path}`, isWhole: false })));
    await writeFile(path, before);
  }
  const shorter = await writeLog(join(question.folder, "shorter"), 100);
  const truncated = { ...shorter, checkpoints: question.checkpoints };
  return [...results, ...(await judge(verifiers, truncated, { name: "a shorter log", isWhole: false }))];
}
