import { createSecretKey, timingSafeEqual, type KeyObject } from "node:crypto";
import { KEY_BYTES } from "./gcm.ts";
import { hkdfSha256 } from "./hkdf.ts";
import { draw, type Random } from "./random.ts";
import { VaultError } from "./vault-error.ts";

/** A key-encryption key. The secret is a KeyObject, which neither JSON nor an inspected object shows. */
export interface Key {
  /** 16 hexadecimal digits, derived from the secret without telling anything about it. */
  id: string;
  secret: KeyObject;
}

export const KEY_ID_BYTES = 8;
const CHECK_BYTES = 16;
const CHECK_INFO = Buffer.from("vault/v1/key-check");
/** A line of a key file that says nothing. */
const COMMENT = /^\s*(#|$)/;
const KEY_LINE = /^vault-key-1 ([0-9a-f]{16}) ([A-Za-z0-9+/]{43}=)$/;

export function createKey(random: Random): Key {
  return keyOf(draw(random, KEY_BYTES));
}

/** The key made of 32 bytes that somebody chose uniformly at random. */
export function keyOf(bytes: Uint8Array): Key {
  if (bytes.length !== KEY_BYTES) {
    throw new VaultError("malformed", `A key has ${KEY_BYTES} bytes, not ${bytes.length}.`);
  }
  const secret = createSecretKey(bytes);
  return { id: keyCheckOf(secret).subarray(0, KEY_ID_BYTES).toString("hex"), secret };
}

/** 128 bits that only this key has; the first 64 of them are its id. */
export function keyCheckOf(secret: KeyObject): Buffer {
  return hkdfSha256({ secret, salt: Buffer.alloc(0), info: CHECK_INFO }, CHECK_BYTES);
}

/** Whether the check value is the one of this key. */
export function isCheckOf(secret: KeyObject, check: Uint8Array): boolean {
  return check.length === CHECK_BYTES && timingSafeEqual(keyCheckOf(secret), check);
}

/** The key as a line of text, for a file, an environment variable or paper. */
export function formatKey({ id, secret }: Key): string {
  return `vault-key-1 ${id} ${secret.export().toString("base64")}`;
}

/** Reads what formatKey wrote; the id finds mistakes of typing. */
export function parseKey(line: string): Key {
  const match = KEY_LINE.exec(line.trim());
  if (match === null) throw new VaultError("malformed", 'A key is a line "vault-key-1 <id> <base64>".');
  const key = keyOf(Buffer.from(match[2] ?? "", "base64"));
  if (key.id !== match[1]) {
    throw new VaultError(
      "malformed",
      `The key's bytes do not belong to the id ${match[1]}: a digit is wrong.`,
    );
  }
  return key;
}

/** Several keys as the text of a key file. */
export function formatKeys(keys: readonly Key[]): string {
  return keys.map((key) => `${formatKey(key)}\n`).join("");
}

/** The keys of a key file: a key a line, beside empty lines and comments that begin with #. */
export function parseKeys(text: string): Key[] {
  return text
    .split("\n")
    .filter((line) => !COMMENT.test(line))
    .map(parseKey);
}
