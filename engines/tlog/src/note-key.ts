import { createPrivateKey, createPublicKey, hash as digest, sign, verify, type KeyObject } from "node:crypto";
import { decodeBase64, encodeBase64 } from "./base64.ts";
import { LogError } from "./log-error.ts";

/**
 * What a key signs: the text itself (https://c2sp.org/signed-note), or that and a time (tlog-cosignature).
 */
export type SignatureType = "ed25519" | "cosignature/v1";

/** Says who signed, and checks that they did. */
export interface NoteVerifier {
  name: string;
  /** Eight hexadecimal digits, which tell apart keys of the same name. */
  id: string;
  verify(text: string, signature: Uint8Array): boolean;
}

export interface NoteSigner {
  name: string;
  id: string;
  sign(text: string): Uint8Array;
}

/** Both halves of a key in their text forms; `skey` is a secret. */
export interface NoteKey {
  vkey: string;
  skey: string;
}

const TYPE_BYTE: Readonly<Record<SignatureType, number>> = { ed25519: 0x01, "cosignature/v1": 0x04 };
const SECRET_PREFIX = "PRIVATE+KEY+";
const KEY_BYTES = 32;
/** What stands before the 32 bytes of an Ed25519 key in PKCS #8 and in SPKI (RFC 8410). */
const PKCS8_HEADER = Buffer.from("302e020100300506032b657004220420", "hex");
const SPKI_HEADER = Buffer.from("302a300506032b6570032100", "hex");
const TIME_BYTES = 8;
const SIGNATURE_BYTES = 64;

/** A key made of 32 secret random bytes: `vkey` to be told to everybody, `skey` to be kept. */
export function createNoteKey(name: string, seed: Uint8Array, type: SignatureType = "ed25519"): NoteKey {
  checkName(name);
  if (seed.length !== KEY_BYTES) {
    throw new LogError("malformed", `a key needs ${KEY_BYTES} random bytes, got ${seed.length}`);
  }
  const publicKey = publicBytes(privateKeyOf(seed));
  const id = keyId(name, type, publicKey);
  return {
    vkey: `${name}+${id}+${encodeMaterial(type, publicKey)}`,
    skey: `${SECRET_PREFIX}${name}+${id}+${encodeMaterial(type, seed)}`,
  };
}

/** Checks signatures of a `vkey`: `<name>+<id>+<base64 of type and public key>`. */
export function createVerifier(vkey: string): NoteVerifier {
  const { name, id, type, material } = parseKey(vkey, "vkey");
  if (keyId(name, type, material) !== id) throw malformed("vkey", "its id does not fit the key");
  const key = createPublicKey({ key: Buffer.concat([SPKI_HEADER, material]), format: "der", type: "spki" });
  if (type === "ed25519")
    return { name, id, verify: (text, bytes) => verify(null, Buffer.from(text), key, bytes) };
  return { name, id, verify: (text, bytes) => verifyCosignature(key, text, bytes) };
}

/** Signs notes with an `skey`. */
export function createSigner(skey: string): NoteSigner {
  const { name, id, key } = parseSecret(skey, "ed25519");
  return { name, id, sign: (text) => sign(null, Buffer.from(text), key) };
}

/**
 * Signs checkpoints as a witness, who says when the log looked like that (https://c2sp.org/tlog-cosignature).
 */
export function createCosigner(skey: string, nowMs: () => number): NoteSigner {
  const { name, id, key } = parseSecret(skey, "cosignature/v1");
  return {
    name,
    id,
    sign(text) {
      const seconds = BigInt(Math.floor(nowMs() / 1_000));
      const time = Buffer.alloc(TIME_BYTES);
      time.writeBigUInt64BE(seconds);
      return Buffer.concat([time, sign(null, cosignedMessage(text, seconds), key)]);
    },
  };
}

/** Seconds since 1970 at which a witness signed; the signature has to be verified beforehand. */
export function cosignatureTime(signature: Uint8Array): number {
  return Number(Buffer.from(signature).readBigUInt64BE());
}

function verifyCosignature(key: KeyObject, text: string, bytes: Uint8Array): boolean {
  if (bytes.length !== TIME_BYTES + SIGNATURE_BYTES) return false;
  const seconds = Buffer.from(bytes).readBigUInt64BE();
  return verify(null, cosignedMessage(text, seconds), key, bytes.subarray(TIME_BYTES));
}

function cosignedMessage(text: string, seconds: bigint): Buffer {
  return Buffer.from(`cosignature/v1\ntime ${seconds}\n${text}`);
}

interface ParsedKey {
  name: string;
  id: string;
  type: SignatureType;
  material: Buffer;
}

/** The base64 at the end may hold a plus itself. */
function parseKey(text: string, what: string): ParsedKey {
  const [, name = "", id = "", base64 = ""] = /^([^+]*)\+([0-9a-f]{8})\+(.*)$/.exec(text) ?? [];
  if (name === "") throw malformed(what, "expected <name>+<eight hexadecimal digits>+<base64>");
  checkName(name);
  const bytes = decodeBase64(base64);
  const type = bytes?.[0] === TYPE_BYTE.ed25519 ? "ed25519" : "cosignature/v1";
  if (bytes?.[0] !== TYPE_BYTE[type] || bytes.length !== 1 + KEY_BYTES) {
    throw malformed(what, "expected an Ed25519 key of type 1 (notes) or 4 (cosignatures)");
  }
  return { name, id, type, material: bytes.subarray(1) };
}

function parseSecret(skey: string, type: SignatureType): { name: string; id: string; key: KeyObject } {
  if (!skey.startsWith(SECRET_PREFIX)) throw malformed("skey", `expected it to start with ${SECRET_PREFIX}`);
  const parsed = parseKey(skey.slice(SECRET_PREFIX.length), "skey");
  if (parsed.type !== type) throw malformed("skey", `it is of type ${parsed.type}, needed is ${type}`);
  const key = privateKeyOf(parsed.material);
  if (keyId(parsed.name, type, publicBytes(key)) !== parsed.id) {
    throw malformed("skey", "its id does not fit the key");
  }
  return { name: parsed.name, id: parsed.id, key };
}

/** The first four bytes of SHA-256(name ‖ newline ‖ type ‖ public key). */
function keyId(name: string, type: SignatureType, publicKey: Uint8Array): string {
  const message = Buffer.concat([Buffer.from(`${name}\n`), Buffer.of(TYPE_BYTE[type]), publicKey]);
  return digest("sha256", message, "hex").slice(0, 8);
}

function encodeMaterial(type: SignatureType, bytes: Uint8Array): string {
  return encodeBase64(Buffer.concat([Buffer.of(TYPE_BYTE[type]), bytes]));
}

function privateKeyOf(seed: Uint8Array): KeyObject {
  return createPrivateKey({ key: Buffer.concat([PKCS8_HEADER, seed]), format: "der", type: "pkcs8" });
}

function publicBytes(key: KeyObject): Buffer {
  return createPublicKey(key).export({ format: "der", type: "spki" }).subarray(-KEY_BYTES);
}

/** Neither spaces of any kind nor a plus, which separate names from what follows. */
export function isKeyName(name: string): boolean {
  return /^[^\s\p{White_Space}\p{Cc}+]+$/u.test(name);
}

function checkName(name: string): void {
  if (!isKeyName(name)) throw malformed("key name", "it must not be empty nor hold spaces or a plus");
}

/** What is secret never gets into the message. */
function malformed(what: string, why: string): LogError {
  return new LogError("malformed", `the ${what} cannot be used: ${why}`);
}
