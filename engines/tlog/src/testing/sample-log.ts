import { createNoteKey, createSigner, createVerifier } from "../note-key.ts";
import { createLogWriter } from "../log-writer.ts";
import { createMemoryStore, type MemoryStore } from "./memory-store.ts";

/** The key of the logs of tests. */
export const KEY = createNoteKey("log.example/audit", Buffer.alloc(32, 7));
export const SIGNER = createSigner(KEY.skey);
export const TRUST = { origin: "log.example/audit", keys: [createVerifier(KEY.vkey)] };

export function sampleEntries(count: number, word = "entry"): Buffer[] {
  return Array.from({ length: count }, (_, index) => Buffer.from(`${word} ${index}`));
}

/** A log of these entries, written at once. */
export async function createSampleLog(entries: readonly Uint8Array[]): Promise<MemoryStore> {
  const store = createMemoryStore();
  await createLogWriter({ store, signer: SIGNER, trust: TRUST }).append({ firstIndex: 0, entries });
  return store;
}
