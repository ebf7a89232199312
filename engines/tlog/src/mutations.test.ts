import { describe, expect, it } from "vitest";
import { formatCheckpoint, openCheckpoint, type SignedCheckpoint } from "./checkpoint.ts";
import { LogError } from "./log-error.ts";
import { createLogReader } from "./log-reader.ts";
import { signNote } from "./note.ts";
import { createNoteKey, createSigner } from "./note-key.ts";
import { proveEntry, verifyProof } from "./proof-file.ts";
import { checkExtension } from "./retained.ts";
import { createMemoryStore, type MemoryStore } from "./testing/memory-store.ts";
import { createSampleLog, sampleEntries, SIGNER, TRUST } from "./testing/sample-log.ts";
import { createSeededRandom, type SeededRandom } from "./testing/seeded-random.ts";
import { verifyLog } from "./verify-log.ts";

const SEED = 20_260_921;
const EACH = 750;
/** What others compete for on a busy machine is not what is tested. */
const TIMEOUT_MS = 60_000;
/** Mostly small logs, some with a full tile. */
const SIZES = [2, 3, 4, 5, 7, 8, 13, 16, 21, 34, 300];
const OTHER_SIGNER = createSigner(createNoteKey(TRUST.origin, Buffer.alloc(32, 8)).skey);

interface Sample {
  entries: Buffer[];
  store: MemoryStore;
  checkpoint: SignedCheckpoint;
  /** Of about half the entries. */
  retained: SignedCheckpoint;
  proofs: string[];
}

const samples = await Promise.all(SIZES.map(createSample));

async function createSample(size: number): Promise<Sample> {
  const entries = sampleEntries(size);
  const store = await createSampleLog(entries);
  const checkpoint = await checkpointOf(store);
  const retained = await checkpointOf(await createSampleLog(entries.slice(0, Math.ceil(size / 2))));
  const proofs = await Promise.all(
    entries.slice(0, 8).map((_, index) => proveEntry(store, checkpoint, index)),
  );
  return { entries, store, checkpoint, retained, proofs };
}

async function checkpointOf(store: MemoryStore): Promise<SignedCheckpoint> {
  return openCheckpoint((await store.read("checkpoint")) ?? "", TRUST);
}

/** Whether a log with these files is found out; whoever kept a checkpoint has it at hand. */
async function isFoundOut(files: ReadonlyMap<string, Uint8Array>, ...retained: SignedCheckpoint[]) {
  const report = await verifyLog({ source: createMemoryStore(files), trust: TRUST, retained });
  return report.findingsTotal > 0;
}

function isRefused(act: () => void): boolean {
  try {
    act();
    return false;
  } catch (error) {
    if (error instanceof LogError) return true;
    throw error;
  }
}

function flipBit(bytes: Uint8Array, random: SeededRandom): Buffer {
  const flipped = Buffer.from(bytes);
  const at = random.below(flipped.length);
  flipped[at] = (flipped[at] ?? 0) ^ (1 << random.below(8));
  return flipped;
}

function change(sample: Sample, random: SeededRandom, act: (bytes: Buffer) => Buffer | null) {
  const files = new Map<string, Uint8Array>(sample.store.files);
  const path = random.pick([...files.keys()]);
  const bytes = act(Buffer.from(files.get(path) ?? []));
  if (bytes === null) files.delete(path);
  else files.set(path, bytes);
  return isFoundOut(files);
}

/** Another history of the same length or another, which looks whole by itself. */
function rewrite(entries: readonly Buffer[], end: number, random: SeededRandom): Buffer[] {
  const at = random.below(end);
  const entry = entries[at] ?? Buffer.of();
  switch (random.below(4)) {
    case 0:
      return entries.with(at, flipBit(entry, random));
    case 1:
      return entries.toSpliced(at, 1);
    case 2:
      return entries.toSpliced(at, 0, Buffer.from("slipped in"));
    default: {
      const other = (at + 1) % entries.length;
      return entries.with(at, entries[other] ?? entry).with(other, entry);
    }
  }
}

/** Each answers whether what it did was noticed. */
const MUTATIONS: Record<string, (sample: Sample, random: SeededRandom) => boolean | Promise<boolean>> = {
  "a flipped bit in any file": (sample, random) => change(sample, random, (bytes) => flipBit(bytes, random)),
  "a file that is gone": (sample, random) => change(sample, random, () => null),
  "a file cut off at any byte": (sample, random) =>
    change(sample, random, (bytes) => bytes.subarray(0, random.below(bytes.length))),
  "bytes added to any file": (sample, random) =>
    change(sample, random, (bytes) =>
      Buffer.concat([bytes, Buffer.alloc(1 + random.below(64), random.below(256))]),
    ),
  "two parts of a file in each other's place": (sample, random) =>
    change(sample, random, (bytes) => {
      const at = 1 + random.below(bytes.length - 1);
      const turned = Buffer.concat([bytes.subarray(at), bytes.subarray(0, at)]);
      return turned.equals(bytes) ? null : turned;
    }),
  "entries altered, removed, slipped in or swapped, tiles and all, under the signed checkpoint": async (
    { entries, checkpoint },
    random,
  ) => {
    const { files } = await createSampleLog(rewrite(entries, entries.length, random));
    return isFoundOut(new Map([...files, ["checkpoint", Buffer.from(checkpoint.note)]]));
  },
  "a checkpoint that another key signed under the same name": ({ store, checkpoint }) => {
    const note = signNote(formatCheckpoint(checkpoint), [OTHER_SIGNER]);
    return isFoundOut(new Map([...store.files, ["checkpoint", Buffer.from(note)]]));
  },
  "a checkpoint that says another size or root, signed by the log itself": (
    { store, checkpoint },
    random,
  ) => {
    const lie =
      random.below(2) === 0
        ? { ...checkpoint, root: flipBit(checkpoint.root, random) }
        : { ...checkpoint, size: checkpoint.size + 1 + random.below(1_000) };
    const note = signNote(formatCheckpoint(lie), [SIGNER]);
    return isFoundOut(new Map([...store.files, ["checkpoint", Buffer.from(note)]]));
  },
  "a history written anew and signed again, against a checkpoint that was kept": async (sample, random) => {
    const { files } = await createSampleLog(rewrite(sample.entries, sample.retained.size, random));
    return isFoundOut(files, sample.retained);
  },
  "a log cut off and signed again, against a checkpoint that was kept": async (sample, random) => {
    const { files } = await createSampleLog(sample.entries.slice(0, random.below(sample.retained.size)));
    return isFoundOut(files, sample.retained);
  },
  "a fork that offers its own proof of consistency": async ({ entries, retained }, random) => {
    const forked = await createSampleLog(rewrite(entries, retained.size, random));
    const current = await checkpointOf(forked);
    const proof = await createLogReader(forked, current.size).proveConsistency(
      Math.min(retained.size, current.size),
    );
    return isRefused(() => checkExtension({ retained, current, proof }));
  },
  "a proof of consistency with a flipped bit, a hash less or a hash more": async (sample, random) => {
    const { store, checkpoint: current, retained } = sample;
    const honest = await createLogReader(store, current.size).proveConsistency(retained.size);
    const at = random.below(honest.length);
    const hash = honest[at] ?? Buffer.of();
    const proof = random.pick([
      honest.with(at, flipBit(hash, random)),
      honest.toSpliced(at, 1),
      [...honest, hash],
    ]);
    return isRefused(() => checkExtension({ retained, current, proof }));
  },
  "a proof file with a flipped bit, or a line less or in another place": ({ entries, proofs }, random) => {
    const index = random.below(proofs.length);
    const proof = proofs[index] ?? "";
    const lines = proof.split("\n");
    const [at, to] = [random.below(lines.length - 1), random.below(lines.length - 1)];
    const moved = lines.toSpliced(at, 1).toSpliced(to, 0, lines[at] ?? "");
    const changed = random.pick([
      flipBit(Buffer.from(proof), random).toString(),
      lines.toSpliced(at, 1).join("\n"),
    ]);
    const text = random.below(3) === 0 && moved.join("\n") !== proof ? moved.join("\n") : changed;
    return isRefused(() => verifyProof(text, entries[index] ?? Buffer.of(), TRUST));
  },
  "a proof shown for another entry": ({ entries, proofs }, random) => {
    const index = random.below(proofs.length);
    const entry = flipBit(entries[index] ?? Buffer.of(), random);
    return isRefused(() => verifyProof(proofs[index] ?? "", entry, TRUST));
  },
};

describe("a log that nobody touched", () => {
  it("is not found out", async () => {
    for (const { entries, store, retained, proofs } of samples) {
      expect(await isFoundOut(store.files, retained)).toBe(false);
      expect(isRefused(() => verifyProof(proofs[0] ?? "", entries[0] ?? Buffer.of(), TRUST))).toBe(false);
    }
  });
});

describe(`each of ${EACH} times, what is noticed is`, () => {
  it.each(Object.entries(MUTATIONS))(
    "%s",
    async (name, mutate) => {
      const random = createSeededRandom(SEED + Object.keys(MUTATIONS).indexOf(name));
      const unnoticed: string[] = [];
      for (let round = 0; round < EACH; round += 1) {
        // A large log takes as long as thirty small ones.
        const sample = random.pick(round % 30 === 0 ? samples : samples.slice(0, -1));
        if (!(await mutate(sample, random)))
          unnoticed.push(`round ${round}, ${sample.entries.length} entries`);
      }
      expect(unnoticed).toEqual([]);
    },
    TIMEOUT_MS,
  );

  it("more than 10,000 mutations in all", () => {
    expect(EACH * Object.keys(MUTATIONS).length).toBeGreaterThan(10_000);
  });
});
