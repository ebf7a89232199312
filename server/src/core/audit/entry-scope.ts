import { foundAt, type FoundScope } from "../../kernel/http/index.ts";
import type { Audit } from "./audit.ts";

/** Whose an entry is decides who may read it. */
export async function scopeOfEntry(audit: Audit, id: string): Promise<FoundScope> {
  const { entry } = await audit.find(id);
  return foundAt(entry, `an audit entry ${id}`, "audit.read");
}
