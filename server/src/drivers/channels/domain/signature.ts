import { createHmac } from "node:crypto";

/** Signatures of Standard Webhooks 1.0.0, https://github.com/standard-webhooks/standard-webhooks */

const PREFIX = "whsec_";
/** The specification asks for 192 to 512 bits. */
const KEY_BYTES = { min: 24, max: 64 };
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;

/** The key in a secret of the form whsec_<base64>; throws for any other text, which it does not repeat. */
export function readKey(secret: string): Buffer {
  const text = secret.trim();
  const encoded = text.slice(PREFIX.length);
  const key = Buffer.from(encoded, "base64");
  const { min, max } = KEY_BYTES;
  const isKey = text.startsWith(PREFIX) && BASE64.test(encoded) && key.length >= min && key.length <= max;
  if (!isKey) throw new Error(`a secret is not of the form whsec_ and base64 of ${min} to ${max} bytes`);
  return key;
}

export interface SignedContent {
  id: string;
  timestampSeconds: number;
  body: string;
}

/**
 * The header webhook-signature: one signature for each
 * key, so that a receiver may know the new or the old one.
 */
export function signatureHeader(
  { id, timestampSeconds, body }: SignedContent,
  keys: readonly Buffer[],
): string {
  const content = `${id}.${timestampSeconds}.${body}`;
  return keys.map((key) => `v1,${createHmac("sha256", key).update(content).digest("base64")}`).join(" ");
}
