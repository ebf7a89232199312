import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { hkdfSha256 } from "../../engines/vault/src/hkdf.ts";
import type { CaseResult, Suite } from "../suite.ts";

interface Vectors {
  testGroups: { tests: Vector[] }[];
}

/** ikm, salt, info and okm are in hexadecimal. */
interface Vector {
  tcId: number;
  comment: string;
  ikm: string;
  salt: string;
  info: string;
  size: number;
  okm: string;
  result: "valid" | "invalid";
}

/** The derivation of the vault's keys gives what it should, and nothing longer than it can. */
export const suite: Suite = {
  about: "HKDF-SHA256 of Wycheproof against the key derivation of the vault",
  data: "wycheproof",
  async run({ dataFolder }) {
    const vectors: Vectors = JSON.parse(await readFile(join(dataFolder, "hkdf_sha256_test.json"), "utf8"));
    return vectors.testGroups.flatMap((group) => group.tests.map(judge));
  },
};

function judge(vector: Vector): CaseResult {
  const derived = derive(vector);
  const expected = vector.result === "valid" ? vector.okm : "refused";
  const failure = derived === expected ? null : `${vector.result}, but ${derived}`;
  return { name: `case ${vector.tcId}, ${vector.comment || "no comment"}`, failure };
}

function derive(vector: Vector): string {
  const [secret, salt, info] = [vector.ikm, vector.salt, vector.info].map((hex) => Buffer.from(hex, "hex"));
  if (!secret || !salt || !info) return "incomplete";
  try {
    return hkdfSha256({ secret, salt, info }, vector.size).toString("hex");
  } catch (error) {
    if (error instanceof RangeError) return "refused";
    throw error;
  }
}
