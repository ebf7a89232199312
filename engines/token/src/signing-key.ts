import { createPrivateKey, createPublicKey, hash, sign } from "node:crypto";
import { TOKEN_TYPE, type Claims, type PublicJwk } from "./form.ts";

export interface SigningKey {
  jwk: PublicJwk;
  /** A token with these claims. */
  sign(claims: Claims): string;
}

/** The secret of a key: whoever has these bytes can sign. */
export const SEED_BYTES = 32;
/** What stands before the 32 bytes in PKCS #8 (RFC 8410). */
const PKCS8_HEADER = Buffer.from("302e020100300506032b657004220420", "hex");

/** The key that 32 secret random bytes make. */
export function createSigningKey(seed: Uint8Array): SigningKey {
  if (seed.length !== SEED_BYTES) throw new Error(`a signing key is made of ${SEED_BYTES} bytes`);
  const der = Buffer.concat([PKCS8_HEADER, seed]);
  const privateKey = createPrivateKey({ key: der, format: "der", type: "pkcs8" });
  const { x = "" } = createPublicKey(privateKey).export({ format: "jwk" });
  const kid = hash("sha256", JSON.stringify({ crv: "Ed25519", kty: "OKP", x }), "base64url");
  const header = encode({ alg: "EdDSA", typ: TOKEN_TYPE, kid });
  return {
    jwk: { kty: "OKP", crv: "Ed25519", x, kid, alg: "EdDSA", use: "sig" },
    sign(claims) {
      const signed = `${header}.${encode(claims)}`;
      return `${signed}.${sign(null, Buffer.from(signed), privateKey).toString("base64url")}`;
    },
  };
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}
