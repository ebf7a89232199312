import { hash } from "node:crypto";
import { crc32 } from "node:zlib";
import type { Random } from "../../../kernel/ids.ts";

/**
 * An API key: `mk_<id>_<secret><checksum>`. The id (8 characters) is public and names the key in lists and
 * logs, the secret (43 characters) holds 256 random bits, the checksum (6 characters) is the CRC-32 of what
 * stands before it, so that a slip of the pen is told apart from a key that is not known, and scanners can
 * recognise a leaked one.
 */
export interface ApiKey {
  id: string;
  /** The whole key: to be shown once, and never stored. */
  text: string;
}

const DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const ID_DIGITS = 8;
/** 62^43 > 2^256 */
const SECRET_DIGITS = 43;
/** 62^6 > 2^32 */
const CHECKSUM_DIGITS = 6;
const FORM = new RegExp(`^mk_([0-9A-Za-z]{${ID_DIGITS}})_[0-9A-Za-z]{${SECRET_DIGITS + CHECKSUM_DIGITS}}$`);

/** A new key; with the id of an earlier one, a new secret for it. */
export function makeApiKey(random: Random, id: string = randomDigits(random, ID_DIGITS)): ApiKey {
  const body = `mk_${id}_${randomDigits(random, SECRET_DIGITS)}`;
  return { id, text: body + checksumOf(body) };
}

/** What a text is that should be a key. */
export type ReadApiKey = { kind: "key"; key: ApiKey } | { kind: "mistyped" } | { kind: "foreign" };

/** "mistyped": it begins like a key of ours and is not one; "foreign": it never was. */
export function readApiKey(text: string): ReadApiKey {
  if (!text.startsWith("mk_")) return { kind: "foreign" };
  const id = FORM.exec(text)?.[1];
  const isWhole = text.slice(-CHECKSUM_DIGITS) === checksumOf(text.slice(0, -CHECKSUM_DIGITS));
  return id !== undefined && isWhole ? { kind: "key", key: { id, text } } : { kind: "mistyped" };
}

/**
 * What is stored of a key. A plain hash is enough: 256 random bits cannot be guessed, however fast the hash
 * is.
 */
export function hashApiKey({ text }: Pick<ApiKey, "text">): Buffer {
  return Buffer.from(fingerprintOf(text), "latin1");
}

/** The hash of a key as a string, a character for each byte: the cheapest form to look it up by. */
export function fingerprintOf(text: string): string {
  return hash("sha256", text, "binary");
}

function checksumOf(text: string): string {
  let rest = crc32(text);
  let digits = "";
  for (let count = 0; count < CHECKSUM_DIGITS; count += 1) {
    digits = (DIGITS[rest % DIGITS.length] ?? "") + digits;
    rest = Math.floor(rest / DIGITS.length);
  }
  return digits;
}

/** Every digit equally likely: bytes past the last whole multiple of 62 are thrown away. */
function randomDigits(random: Random, count: number): string {
  const fairLimit = 256 - (256 % DIGITS.length);
  let digits = "";
  while (digits.length < count) {
    const fair = [...random(count)].filter((byte) => byte < fairLimit);
    digits += fair.map((byte) => DIGITS[byte % DIGITS.length]).join("");
  }
  return digits.slice(0, count);
}
