import { KEY_BYTES, NONCE_BYTES, openGcm, sealGcm, TAG_BYTES } from "./gcm.ts";
import { encodeContext, type Context } from "./context.ts";
import { hkdfSha256 } from "./hkdf.ts";
import { KEY_ID_BYTES, type Key } from "./key.ts";
import type { Keyring } from "./keyring.ts";
import { draw, type Random } from "./random.ts";
import { VaultError } from "./vault-error.ts";

/** What is needed to open: keys, and the place the thing is said to come from. */
export interface Opening {
  keyring: Keyring;
  context: Context;
}

/** What is needed to seal. */
export interface Sealing extends Opening {
  random: Random;
}

/** How the content behind the header is sealed: in one piece, or in chunks that can be read one by one. */
export type Algorithm = "whole" | "chunked";

/** What everybody may read of a sealed thing. It is vouched for only once the data key was unwrapped. */
export interface Header {
  algorithm: Algorithm;
  keyId: string;
  generation: number;
}

const MAGIC = Buffer.from("VLT");
const FORMAT_VERSION = 1;
const ALGORITHMS: readonly (Algorithm | undefined)[] = [undefined, "whole", "chunked"];
const SALT_BYTES = 24;
const WRAP_INFO = Buffer.from("vault/v1/wrap");

const ALGORITHM_AT = 4;
const KEY_ID_AT = 5;
const GENERATION_AT = KEY_ID_AT + KEY_ID_BYTES;
const SALT_AT = GENERATION_AT + 4;
const WRAPPED_AT = SALT_AT + SALT_BYTES;
export const HEADER_BYTES = WRAPPED_AT + KEY_BYTES + TAG_BYTES;

/** Reads the header at the start of anything sealed. */
export function parseHeader(sealed: Uint8Array): Header {
  const bytes = Buffer.from(sealed.buffer, sealed.byteOffset, Math.min(sealed.length, HEADER_BYTES));
  if (bytes.length < HEADER_BYTES || !bytes.subarray(0, MAGIC.length).equals(MAGIC)) {
    throw new VaultError("malformed", "This was not sealed by a vault, or it is cut off.");
  }
  const version = bytes[MAGIC.length];
  const algorithm = ALGORITHMS[bytes[ALGORITHM_AT] ?? 0];
  if (version !== FORMAT_VERSION || algorithm === undefined) {
    const found = `version ${version}, algorithm ${bytes[ALGORITHM_AT]}`;
    throw new VaultError("malformed", `Sealed in a format that is not known here: ${found}.`);
  }
  const keyId = bytes.subarray(KEY_ID_AT, GENERATION_AT).toString("hex");
  return { algorithm, keyId, generation: bytes.readUInt32BE(GENERATION_AT) };
}

/** A header that wraps the data key with the keyring's active key. */
export function wrapDataKey(sealing: Sealing, header: Omit<Header, "keyId">, dataKey: Uint8Array): Buffer {
  const key = sealing.keyring.active;
  const start = formatStart({ ...header, keyId: key.id });
  const salt = draw(sealing.random, SALT_BYTES);
  const additionalData = Buffer.concat([start, encodeContext(sealing.context)]);
  return Buffer.concat([start, salt, sealGcm({ ...wrapUse(key, salt), additionalData }, dataKey)]);
}

/** The header, vouched for, and the data key in it. */
export function unwrapDataKey(
  { keyring, context }: Opening,
  sealed: Uint8Array,
): Header & { dataKey: Buffer } {
  const header = parseHeader(sealed);
  const key = keyring.find(header.keyId);
  const additionalData = Buffer.concat([sealed.subarray(0, SALT_AT), encodeContext(context)]);
  const use = { ...wrapUse(key, sealed.subarray(SALT_AT, WRAPPED_AT)), additionalData };
  const dataKey = openGcm(use, sealed.subarray(WRAPPED_AT, HEADER_BYTES));
  if (dataKey === null) throw alteredError(context);
  return { ...header, dataKey };
}

/** The same thing under the active key: another header, not a byte of the content changes. */
export function rewrap(sealing: Sealing, sealed: Uint8Array): Buffer {
  const { dataKey, ...header } = unwrapDataKey(sealing, sealed);
  return Buffer.concat([wrapDataKey(sealing, header, dataKey), sealed.subarray(HEADER_BYTES)]);
}

/** What the content vouches for beside itself: all that stays when its data key is wrapped anew. */
export function contentData({ algorithm, generation }: Omit<Header, "keyId">, context: Context): Buffer {
  const start = formatStart({ algorithm, generation, keyId: "" });
  return Buffer.concat([start, encodeContext(context)]);
}

export function alteredError(context: Context): VaultError {
  const place = context.join(" / ");
  return new VaultError(
    "altered",
    `What is sealed at ${place} was altered, cut, or sealed for another place.`,
  );
}

/**
 * A key and a nonce for this one wrap. A salt of 192 bits lets a key wrap 2^80
 * times before two salts meet with a chance of 2^-32, where a random nonce of
 * 96 bits alone would allow 2^32 wraps (NIST SP 800-38D, section 8.3).
 */
function wrapUse({ secret }: Key, salt: Uint8Array): { key: Buffer; nonce: Buffer } {
  const bytes = hkdfSha256({ secret, salt, info: WRAP_INFO }, KEY_BYTES + NONCE_BYTES);
  return { key: bytes.subarray(0, KEY_BYTES), nonce: bytes.subarray(KEY_BYTES) };
}

function formatStart({ algorithm, keyId, generation }: Header): Buffer {
  const round = Buffer.alloc(4);
  round.writeUInt32BE(generation);
  const kind = Uint8Array.of(FORMAT_VERSION, ALGORITHMS.indexOf(algorithm));
  return Buffer.concat([MAGIC, kind, Buffer.from(keyId, "hex"), round]);
}
