import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { isSignatureOf, signatureOf } from "../../agent/src/proxy/signature.ts";
import type { CaseResult, Suite } from "../suite.ts";

const SIGNATURE_BITS = 128;

interface Vectors {
  testGroups: { keySize: number; tagSize: number; tests: Vector[] }[];
}

/** key, msg and tag are in hexadecimal. */
interface Vector {
  tcId: number;
  comment: string;
  key: string;
  msg: string;
  tag: string;
  result: "valid" | "invalid";
}

/** What signs the cookie of a user accepts what it should, and refuses every tag that was tampered with. */
export const suite: Suite = {
  about: "HMAC-SHA256 of Wycheproof, tags of 128 bits, against the signature of the proxy's cookie",
  data: "wycheproof",
  async run({ dataFolder }) {
    const vectors: Vectors = JSON.parse(await readFile(join(dataFolder, "hmac_sha256_test.json"), "utf8"));
    const groups = vectors.testGroups.filter((group) => group.tagSize === SIGNATURE_BITS);
    return groups.flatMap((group) => group.tests.map(judge));
  },
};

function judge({ tcId, comment, result, ...vector }: Vector): CaseResult {
  const key = Buffer.from(vector.key, "hex");
  const message = Buffer.from(vector.msg, "hex");
  const signature = Buffer.from(vector.tag, "hex");
  const isAccepted = isSignatureOf(key, message, signature);
  const isMade = signatureOf(key, message).equals(signature);
  const shouldBe = result === "valid";
  const failure =
    isAccepted === shouldBe && isMade === shouldBe ? null : `${result}, but accepted: ${isAccepted}`;
  return { name: `case ${tcId}, ${comment || "no comment"}`, failure };
}
