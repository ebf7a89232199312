import { timingSafeEqual } from "node:crypto";

/** The cost of one hash, in the words of RFC 9106 §3.1. */
export interface Argon2Cost {
  memoryKib: number;
  passes: number;
  lanes: number;
}

export interface PasswordHash extends Argon2Cost {
  salt: Buffer;
  tag: Buffer;
}

/** OWASP Password Storage Cheat Sheet: m = 19 MiB, t = 2, p = 1. */
export const ARGON2_COST: Argon2Cost = { memoryKib: 19 * 1024, passes: 2, lanes: 1 };
export const SALT_BYTES = 16;
export const TAG_BYTES = 32;
const FORM = /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/;

/** The hash with its parameters as text, in the PHC string format. */
export function formatPasswordHash({ memoryKib, passes, lanes, salt, tag }: PasswordHash): string {
  return `$argon2id$v=19$m=${memoryKib},t=${passes},p=${lanes}$${unpadded(salt)}$${unpadded(tag)}`;
}

/** Reads what formatPasswordHash wrote; throws for anything else. */
export function parsePasswordHash(text: string): PasswordHash {
  const [, memory, passes, lanes, salt, tag] = FORM.exec(text) ?? [];
  if (salt === undefined || tag === undefined) throw new Error("a stored password hash has an unknown form");
  return {
    memoryKib: Number(memory),
    passes: Number(passes),
    lanes: Number(lanes),
    salt: Buffer.from(salt, "base64"),
    tag: Buffer.from(tag, "base64"),
  };
}

/** Whether it was made at another cost than is asked for now. */
export function isOutdated(hash: PasswordHash, cost: Argon2Cost): boolean {
  return hash.memoryKib !== cost.memoryKib || hash.passes !== cost.passes || hash.lanes !== cost.lanes;
}

/** Whether two tags are the same, in a time that says nothing about how much of them is. */
export function isSameTag(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && timingSafeEqual(one, other);
}

function unpadded(bytes: Buffer): string {
  return bytes.toString("base64").replace(/=+$/, "");
}
