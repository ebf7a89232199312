import { createHash } from "node:crypto";
import type { Random } from "../../../kernel/ids.ts";

/**
 * What somebody holds to be let in: a session, a one-time link, a login that waits for its second step, a device
 * that was used before. Two letters say what it is; 256 random bits follow, as 43 characters of base64url.
 */
const PREFIXES = { session: "ms_", link: "ml_", challenge: "mc_", device: "md_" } as const;
export type TokenKind = keyof typeof PREFIXES;

export interface Token {
  /** To be handed out once, and never stored. */
  text: string;
  /** What is stored. A plain hash is enough: 256 random bits cannot be guessed. */
  hash: Buffer;
}

const SECRET_BYTES = 32;
const SECRET = /^[A-Za-z0-9_-]{43}$/;

/** A new token. */
export function makeToken(random: Random, kind: TokenKind): Token {
  const text = PREFIXES[kind] + Buffer.from(random(SECRET_BYTES)).toString("base64url");
  return { text, hash: hashToken(text) };
}

/** SHA-256 of the whole token. */
export function hashToken(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

/** Whether a text has the form of such a token. */
export function isToken(kind: TokenKind, text: string): boolean {
  return text.startsWith(PREFIXES[kind]) && SECRET.test(text.slice(PREFIXES[kind].length));
}
