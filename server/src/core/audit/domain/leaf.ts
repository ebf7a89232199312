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
  const { salt, before, after, reason, stepUp, resource } = entry;
  const details = Object.entries({ after, before, reason, stepUp })
    .filter(([, value]) => value !== null && value !== undefined)
    .map(([name, value]) => `"${name}":"${digestOf(salt, canonicalJson(value))}"`);
  // In the order of their names, which canonical JSON wants:
  // written out, as sorting them costs several times more.
  return Buffer.from(
    `{"action":${json(entry.action)},"actor":${personJson(entry.actor)},"at":${json(entry.at)},` +
      `"change":${json(entry.change)},"details":{${details.join(",")}},` +
      `"environment":${json(entry.environment)},"id":${json(entry.id)},"index":${json(entry.index)},` +
      `"onBehalfOf":${entry.onBehalfOf === null ? "null" : personJson(entry.onBehalfOf)},` +
      `"personal":${canonicalJson(entry.personal)},"requestId":${json(entry.requestId)},` +
      `"resource":{"id":${json(resource.id)},"type":${json(resource.type)}},` +
      `"service":${json(entry.service)},"v":${LEAF_VERSION}}`,
  );
}

function personJson({ id, name, type }: StoredEntry["actor"]): string {
  return `{"id":${json(id)},"name":${json(name)},"type":${json(type)}}`;
}

function json(value: string | number | null): string {
  return JSON.stringify(value);
}

/** SHA-256(salt ‖ text), in hexadecimal; the salt is given in hexadecimal too. */
export function digestOf(salt: string, text: string): string {
  const message = Buffer.allocUnsafe(salt.length / 2 + Buffer.byteLength(text));
  message.write(text, message.write(salt, "hex"));
  return hash("sha256", message, "hex");
}
