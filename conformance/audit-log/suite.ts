import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Product } from "../../tests/support/product.ts";
import type { CaseResult, Suite } from "../suite.ts";
import {
  createGoVerifier,
  createStandAloneVerifier,
  type Question,
  type Verifier,
} from "../tlog/verifiers.ts";
import {
  beginningOf,
  createRandom,
  flipBit,
  isBelieved,
  isProofBelieved,
  MUTATIONS,
  whole,
} from "./mutations.ts";
import { runPlatform, type RealLog } from "./real-log.ts";

const SEED = 20_261_122;
/** Together more than 10,000. */
const EACH = 1_000;
const ON_DISK = 30;
const SAMPLE_ENTRIES = 80;

/** The audit of a platform that ran is believed by code that is not ours, and altered audits are not. */
export const suite: Suite = {
  about:
    "The audit log of a running Mainstay against golang.org/x/mod/sumdb, the stand-alone verifier and mutations",
  debianPackages: ["golang-go", "golang-golang-x-mod-dev"],
  async run({ repositoryFolder }) {
    const build = await mkdtemp(join(tmpdir(), "audit-log-"));
    try {
      const verifiers = [await createGoVerifier(build), createStandAloneVerifier(repositoryFolder)];
      return await runPlatform(async (product, log) => [
        await askServer(product, log, repositoryFolder),
        ...(await believe(verifiers, log)),
        ...(await tamperOnDisk(verifiers, log)),
        ...(await mutate(await beginningOf(log, SAMPLE_ENTRIES))),
        mutateProofs(log, await Promise.all(log.proofs.map((path) => readFile(path, "utf8")))),
      ]);
    } finally {
      await rm(build, { recursive: true });
    }
  },
};

/** The verifier of the documentation asks the running server. */
function askServer(product: Product, log: RealLog, repositoryFolder: string): Promise<CaseResult> {
  const script = join(repositoryFolder, "docs/verify-log.mjs");
  const kept = log.kept.flatMap(({ path }) => ["--retained", path]);
  const env = { ...process.env, ...product.access() };
  return new Promise((resolve) => {
    const args = [script, "--key", log.vkey, ...kept, `${product.url}/audit/log`];
    execFile(process.execPath, args, { env }, (error, stdout, stderr) => {
      resolve({ name: "the running server, verify-log.mjs", failure: error && `${stdout}${stderr}` });
    });
  });
}

function questionOf({ folder, vkey, kept, proofs }: RealLog): Question {
  return { folder: join(folder, "log"), vkey, checkpoints: kept.map(({ path }) => path), proofs };
}

async function believe(verifiers: readonly Verifier[], log: RealLog): Promise<CaseResult[]> {
  const name = `${log.lines.length} entries, ${log.proofs.length} proofs`;
  const own = (await isBelieved(log, { ...whole(log), isKept: true })) ? null : "it was found wrong";
  const others = verifiers.map(async (verifier) => ({
    name: `${name}, ${verifier.name}`,
    failure: await verifier.verify(questionOf(log)),
  }));
  return [{ name: `${name}, mainstay audit verify`, failure: own }, ...(await Promise.all(others))];
}

/** A flipped bit anywhere in the exported log, told by programs that share no line with us. */
async function tamperOnDisk(verifiers: readonly Verifier[], log: RealLog): Promise<CaseResult[]> {
  const random = createRandom(SEED);
  const results: CaseResult[] = [];
  const question = { ...questionOf(log), proofs: [] };
  const paths = [...log.files.keys()];
  for (let round = 0; round < ON_DISK; round += 1) {
    const path = join(log.folder, "log", paths[random.below(paths.length)] ?? "checkpoint");
    const before = await readFile(path);
    await writeFile(path, flipBit(before, random));
    for (const verifier of verifiers) {
      const isNoticed = (await verifier.verify(question)) !== null;
      const name = `round ${round}: a flipped bit of ${path}, ${verifier.name}`;
      results.push({ name, failure: isNoticed ? null : "it was not noticed" });
    }
    await writeFile(path, before);
  }
  return results;
}

/** One case for each kind; its failure names the first rounds that went unnoticed. */
async function mutate(log: RealLog): Promise<CaseResult[]> {
  const results: CaseResult[] = [];
  for (const [at, [name, mutation]] of Object.entries(MUTATIONS).entries()) {
    const random = createRandom(SEED + at);
    const unnoticed: number[] = [];
    for (let round = 0; round < EACH;) {
      const altered = await mutation(log, random);
      if (altered === null) continue;
      if (await isBelieved(log, altered)) unnoticed.push(round);
      round += 1;
    }
    results.push({ name: `${EACH} times ${name}`, failure: toldOf(unnoticed) });
  }
  return results;
}

function mutateProofs(log: RealLog, proofs: readonly string[]): CaseResult {
  const random = createRandom(SEED - 1);
  const unnoticed: number[] = [];
  for (let round = 0; round < EACH; round += 1) {
    if (isProofBelieved(log, proofs[random.below(proofs.length)] ?? "", random)) unnoticed.push(round);
  }
  return { name: `${EACH} times a flipped bit in a proof or its entry`, failure: toldOf(unnoticed) };
}

function toldOf(unnoticed: readonly number[]): string | null {
  return unnoticed.length === 0 ? null : `unnoticed in the rounds ${unnoticed.slice(0, 5).join(", ")}`;
}
