import { spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { join } from "node:path";
import { buffer, text } from "node:stream/consumers";
import { createKey, createKeyring, rewrap, seal, sealStream, type Sealing } from "@mainstay/vault";
import type { CaseResult, Suite } from "../suite.ts";

interface Case {
  name: string;
  sealing: Sealing;
  sealed: Buffer;
  /** null when it is to be refused. */
  plaintext: Buffer | null;
}

/** Around the borders of chunks, of 16 KiB. */
const SIZES = [0, 1, 1_000, 16_383, 16_384, 16_385, 32_768, 50_000];
const MUTATIONS = 25;

/**
 * What the vault seals is opened, and refused when it was altered, by a reader that shares no code with it.
 */
export const suite: Suite = {
  about: "Sealed values and streams against a reader in Go, written from docs/formats/vault.md",
  debianPackages: ["golang-go"],
  async run({ repositoryFolder }) {
    const cases = await makeCases();
    const answers = await runReader(join(repositoryFolder, "conformance/vault-go/reader.go"), cases);
    return cases.map(({ name, plaintext }, index) => judge({ name, plaintext, answer: answers[index] }));
  },
};

interface Verdict {
  name: string;
  plaintext: Buffer | null;
  answer: string | undefined;
}

function judge({ name, plaintext, answer }: Verdict): CaseResult {
  const expected = plaintext === null ? "refused" : createHash("sha256").update(plaintext).digest("hex");
  return { name, failure: answer === expected ? null : `expected ${expected}, but ${answer}` };
}

async function makeCases(): Promise<Case[]> {
  const cases: Case[] = [];
  for (const size of SIZES) {
    const plaintext = randomBytes(size);
    const sealing = createSealing(["table", "column", `row ${size} ü`]);
    const stream = await buffer(sealStream(sealing, toStream(plaintext)));
    const whole = seal(sealing, plaintext);
    const moved = createSealing(sealing.context);
    const both = createKeyring({
      keys: [sealing.keyring.active, moved.keyring.active],
      activeId: moved.keyring.active.id,
    });
    const rewrapped = rewrap({ ...sealing, keyring: both }, stream);
    cases.push({ name: `${size} bytes in one piece`, sealing, sealed: whole, plaintext });
    cases.push({ name: `${size} bytes as a stream`, sealing, sealed: stream, plaintext });
    cases.push({ name: `${size} bytes rewrapped`, sealing: moved, sealed: rewrapped, plaintext });
    cases.push(...mutationsOf({ name: `${size} bytes`, sealing, sealed: stream, plaintext: null }));
    cases.push(
      ...mutationsOf({ name: `${size} bytes in one piece`, sealing, sealed: whole, plaintext: null }),
    );
  }
  return cases;
}

function createSealing(context: readonly string[]): Sealing {
  const key = createKey(randomBytes);
  return {
    keyring: createKeyring({ keys: [key], activeId: key.id, generation: 3 }),
    random: randomBytes,
    context,
  };
}

/** One bit flipped at evenly spread places, the end cut off, and another place. */
function mutationsOf({ name, sealing, sealed }: Case): Case[] {
  const flipped = Array.from({ length: MUTATIONS }, (_, index) => {
    const altered = Buffer.from(sealed);
    const at = Math.floor((index * sealed.length) / MUTATIONS);
    altered[at] = (altered[at] ?? 0) ^ (1 << (index % 8));
    return { name: `${name}, a bit of byte ${at} flipped`, sealing, sealed: altered, plaintext: null };
  });
  const elsewhere = { ...sealing, context: [...sealing.context, "elsewhere"] };
  return [
    ...flipped,
    { name: `${name}, cut`, sealing, sealed: sealed.subarray(0, -1), plaintext: null },
    { name: `${name}, elsewhere`, sealing: elsewhere, sealed, plaintext: null },
  ];
}

async function* toStream(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes;
}

async function runReader(path: string, cases: readonly Case[]): Promise<string[]> {
  const env = { ...process.env, GO111MODULE: "off" };
  const child = spawn("go", ["run", path], { env, stdio: ["pipe", "pipe", "inherit"] });
  const lines = cases.map(({ sealing, sealed }) => {
    const key = sealing.keyring.active.secret.export().toString("hex");
    return JSON.stringify({ key, context: sealing.context, sealed: sealed.toString("hex") });
  });
  child.stdin.end(`${lines.join("\n")}\n`);
  return (await text(child.stdout)).trim().split("\n");
}
