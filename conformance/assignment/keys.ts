import { createHash } from "node:crypto";

/** What the hash of an assignment is made of. */
export interface AssignmentKey {
  service: string;
  change: string;
  id: string;
}

const SERVICES = ["shop", "a", "registry-of-things", "x".repeat(41)];
const NO_CHANGE = "";
/** Ids that a header may carry: empty, with blanks and colons, and with more than one byte a letter. */
const ODD_IDS = ["", "0", "grüße", "日本語", "🚂".repeat(9), " a b ", "a:b:c", "é".repeat(300)];

/** The same keys at every run. */
export function listKeys(count: number): AssignmentKey[] {
  return Array.from({ length: count }, (_, index) => ({
    service: SERVICES[index % SERVICES.length] ?? "",
    change: index % 10 === 0 ? NO_CHANGE : `chg_${digest(`change ${index % 7}`).slice(0, 32)}`,
    id:
      ODD_IDS[index] ??
      digest(`id ${index}`)
        .repeat(2)
        .slice(0, 1 + (index % 96)),
  }));
}

/** The text that is hashed (docs/formats, "Assignment"). */
export function textOf({ service, change, id }: AssignmentKey): string {
  return `release:${service}:${change}:${id}`;
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
