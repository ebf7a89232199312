import { createHash } from "node:crypto";
import { inflateSync } from "node:zlib";
import { openAge } from "@mainstay/vault/age";
import * as vectors from "cctv-age";
import type { CaseResult, Suite } from "../suite.ts";

/** A test vector: what is to come of which file, with which secrets. */
interface Vector {
  expect: string;
  payload: string | undefined;
  identities: string[];
  passphrases: string[];
  file: Uint8Array | string;
}

/** Files of age v1, whole and damaged in every way, are opened or refused as the format demands. */
export const suite: Suite = {
  about:
    "The test vectors of the age file format (c2sp.org/CCTV/age) against the vault's reader of age files",
  async run() {
    const results: CaseResult[] = [];
    for (const [name, bytes] of Object.entries(vectors)) {
      results.push({ name, failure: await judge(parseVector(Buffer.from(bytes))) });
    }
    return results;
  },
};

async function judge({ expect, payload, file, ...secrets }: Vector): Promise<string | null> {
  const found = await openAge(secrets, file).then(
    (plaintext) => ({ digest: createHash("sha256").update(plaintext).digest("hex") }),
    (error: unknown) => ({ refusal: String(error) }),
  );
  if (expect !== "success") return "digest" in found ? `opened in spite of ${expect}` : null;
  if ("refusal" in found) return found.refusal;
  return found.digest === payload ? null : "opened to something else";
}

/** Lines `key: value`, an empty line, the age file. */
function parseVector(bytes: Buffer): Vector {
  const end = bytes.indexOf("\n\n");
  const fields = bytes
    .toString("utf8", 0, end)
    .split("\n")
    .map((line) => line.split(": "));
  const all = (key: string) =>
    fields.flatMap(([name, value]) => (name === key && value !== undefined ? [value] : []));
  const body = bytes.subarray(end + 2);
  const file = all("compressed").includes("zlib") ? inflateSync(body) : body;
  return {
    expect: all("expect")[0] ?? "",
    payload: all("payload")[0],
    identities: all("identity"),
    passphrases: all("passphrase"),
    file: all("armored").includes("yes") ? file.toString("latin1") : file,
  };
}
