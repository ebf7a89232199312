import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { KEY_BYTES, NONCE_BYTES, openGcm, sealGcm } from "../../engines/vault/src/gcm.ts";
import type { CaseResult, Suite } from "../suite.ts";

interface Vectors {
  testGroups: { tests: Vector[] }[];
}

/** All but the comment and the result is in hexadecimal. */
interface Vector {
  tcId: number;
  comment: string;
  key: string;
  iv: string;
  aad: string;
  msg: string;
  ct: string;
  tag: string;
  result: "valid" | "invalid";
}

/** The vault's cipher agrees where key and nonce have its sizes, and takes no others. */
export const suite: Suite = {
  about:
    "AES-GCM of Wycheproof against the cipher of the vault, which takes keys of 256 and nonces of 96 bits",
  data: "wycheproof",
  async run({ dataFolder }) {
    const vectors: Vectors = JSON.parse(await readFile(join(dataFolder, "aes_gcm_test.json"), "utf8"));
    return vectors.testGroups.flatMap((group) => group.tests.map(judge));
  },
};

function judge(vector: Vector): CaseResult {
  const name = `case ${vector.tcId}, ${vector.comment || "no comment"}`;
  const bytes = (hex: string) => Buffer.from(hex, "hex");
  const use = { key: bytes(vector.key), nonce: bytes(vector.iv), additionalData: bytes(vector.aad) };
  const sealed = bytes(vector.ct + vector.tag);
  const isOurs = use.key.length === KEY_BYTES && use.nonce.length === NONCE_BYTES;
  const isMade = attempt(() => sealGcm(use, bytes(vector.msg)).equals(sealed));
  const isAccepted = attempt(() => openGcm(use, sealed)?.equals(bytes(vector.msg)) ?? false);
  const shouldBe = isOurs && vector.result === "valid";
  const isRight = isAccepted === shouldBe && isMade === shouldBe;
  const found = `made: ${isMade}, opened: ${isAccepted}`;
  return {
    name,
    failure: isRight ? null : `${vector.result}, sizes ${isOurs ? "ours" : "others"}, but ${found}`,
  };
}

/** A size that the cipher does not take is a RangeError of it or of OpenSSL. */
function attempt(act: () => boolean): boolean {
  try {
    return act();
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}
