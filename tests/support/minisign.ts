import { createHash, generateKeyPairSync, sign } from "node:crypto";

/** A key of minisign, and signatures by it as minisign writes them. */
export function createMinisignKey() {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const id = Buffer.from("0102030405060708", "hex");
  const raw = Buffer.from(publicKey.export({ format: "jwk" }).x ?? "", "base64url");
  const encode = (...parts: Buffer[]) => Buffer.concat(parts).toString("base64");
  return {
    publicKey: encode(Buffer.from("Ed"), id, raw),
    sign(message: string, comment = "a test"): string {
      const signature = sign(null, createHash("blake2b512").update(message).digest(), privateKey);
      const global = sign(null, Buffer.concat([signature, Buffer.from(comment)]), privateKey);
      return [
        "untrusted comment: signature",
        encode(Buffer.from("ED"), id, signature),
        `trusted comment: ${comment}`,
        `${encode(global)}\n`,
      ].join("\n");
    },
  };
}
