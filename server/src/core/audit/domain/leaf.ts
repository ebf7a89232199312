import { hash } from "node:crypto";
import { canonicalJson } from "./canonical-json.ts";

/** An entry as it is stored: with null where personal data was taken out. */
export interface StoredEntry {
  id: string;
  index: number;
  at: string;
  actor: { type: string; id: string; name: string | null };
  onBehalfOf: { type: string; id: string; name: string | null } | null;
  action: string;
  resource: { type: string; id: string };
  environment: string | null;
  service: string | null;
  change: string | null;
  before: unknown;
  after: unknown;
  reason: string | null;
  requestId: string | null;
  stepUp: unknown;
  /** JSON pointer → SHA-256(salt ‖ value), in hexadecimal. */
  personal: Record<string, string>;
  /** In hexadecimal. */
  salt: string;
}

const LEAF_VERSION = 1;

/**
 * The entry as the log has it: canonical JSON (RFC 8785). What may be long or private is told as a
 * salted digest only, so a leaf is small and the log can be shown to everybody. docs/formats/audit.md
 */
export function leafOf(entry: StoredEntry): Buffer {
  const { salt, before, after, reason, stepUp, personal, ...plain } = entry;
  const described = Object.entries({ before, after, reason, stepUp }).filter(
    ([, value]) => value !== null && value !== undefined,
  );
  const details = Object.fromEntries(
    described.map(([name, value]) => [name, digestOf(salt, canonicalJson(value))]),
  );
  return Buffer.from(canonicalJson({ v: LEAF_VERSION, ...plain, details, personal }));
}

/** SHA-256(salt ‖ text), in hexadecimal; the salt is given in hexadecimal too. */
export function digestOf(salt: string, text: string): string {
  return hash("sha256", Buffer.concat([Buffer.from(salt, "hex"), Buffer.from(text)]), "hex");
}
