import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { createKey, formatKeys } from "@mainstay/vault";
import { createAgeIdentity, exportKeys, openAge, sealAge } from "@mainstay/vault/age";
import type { CaseResult, Suite } from "../suite.ts";

/** Around the borders of age's chunks, of 64 KiB. */
const SIZES = [0, 1, 65_535, 65_536, 65_537, 200_000];

/** Whoever holds the recovery key needs nothing of ours to read what was exported to it. */
export const suite: Suite = {
  about: "Files that the vault exports against the age program, and files of that program against the vault",
  debianPackages: ["age"],
  async run() {
    const folder = await mkdtemp(join(tmpdir(), "age-"));
    try {
      return await compare(folder);
    } finally {
      await rm(folder, { recursive: true });
    }
  },
};

async function compare(folder: string): Promise<CaseResult[]> {
  const { identity, recipient } = await createAgeIdentity();
  const identityFile = join(folder, "identity");
  await writeFile(identityFile, `${identity}\n`);
  const decrypt = (file: string) => run(["--decrypt", "--identity", identityFile], Buffer.from(file));
  const results: CaseResult[] = [];
  for (const size of SIZES) {
    const plaintext = randomBytes(size);
    const opened = await decrypt(await sealAge({ recipients: [recipient] }, plaintext));
    results.push(judge(`${size} bytes of ours`, opened, plaintext));
    for (const options of [[], ["--armor"]]) {
      const file = await run(["--encrypt", ...options, "--recipient", recipient], plaintext);
      const back = Buffer.from(await openAge({ identities: [identity] }, file));
      results.push(judge(`${size} bytes of age ${options.join("")}`, back, plaintext));
    }
  }
  const keys = [createKey(randomBytes), createKey(randomBytes)];
  const exported = await decrypt(await exportKeys({ recipients: [recipient] }, keys));
  results.push(judge("exported keys", exported, Buffer.from(formatKeys(keys))));
  return results;
}

function judge(name: string, found: Buffer, expected: Buffer): CaseResult {
  return { name, failure: found.equals(expected) ? null : `${found.length} other bytes` };
}

async function run(args: string[], input: Buffer): Promise<Buffer> {
  const child = spawn("age", args, { stdio: ["pipe", "pipe", "inherit"] });
  child.stdin.end(input);
  return buffer(child.stdout);
}
