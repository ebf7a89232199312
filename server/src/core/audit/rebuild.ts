import { rename, rm } from "node:fs/promises";
import {
  createLogWriter,
  createNoteKey,
  createSigner,
  createVerifier,
  type SignedCheckpoint,
} from "@mainstay/tlog";
import type { Random } from "../../kernel/ids.ts";
import type { Leaves } from "./leaves.ts";
import { createLogFiles } from "./log-files.ts";

export interface Rebuilding {
  leaves: Leaves;
  /** Where the log lies, or ought to. */
  folder: string;
  /** What was signed last, as the database remembers it. */
  recorded: SignedCheckpoint;
  random: Random;
}

const BATCH_ENTRIES = 4_096;
const SEED_BYTES = 32;

/**
 * Tiles that were lost are made again of the entries, under the checkpoint that was signed then: nothing is
 * signed anew. Answers whether the entries are still those; if not, nothing is changed. A key that is thrown
 * away signs on the way, as the writer wants one.
 */
export async function rebuildLog({ leaves, folder, recorded, random }: Rebuilding): Promise<boolean> {
  const draft = `${folder}.rebuilt`;
  await rm(draft, { recursive: true, force: true });
  const { origin, size } = recorded;
  const key = createNoteKey(origin, random(SEED_BYTES));
  const store = createLogFiles(draft);
  const trust = { origin, keys: [createVerifier(key.vkey)] };
  const writer = createLogWriter({ store, signer: createSigner(key.skey), trust });
  let rebuilt: SignedCheckpoint | null = null;
  for await (const batch of leaves.all(BATCH_ENTRIES)) {
    const firstIndex: number = rebuilt?.size ?? 0;
    const entries = batch.slice(0, size - firstIndex);
    if (entries.length > 0) rebuilt = await writer.append({ firstIndex, entries });
    if (rebuilt?.size === size) break;
  }
  const isSame = rebuilt?.size === size && Buffer.from(rebuilt.root).equals(recorded.root);
  if (!isSame) {
    await rm(draft, { recursive: true, force: true });
    return false;
  }
  await store.write("checkpoint", Buffer.from(recorded.note));
  await rm(`${folder}.replaced`, { recursive: true, force: true });
  await rename(folder, `${folder}.replaced`).catch(() => {});
  await rename(draft, folder);
  return true;
}
