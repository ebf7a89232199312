import { packRelease, type TreeEntry } from "@mainstay/server";
import { spool, type Archive } from "./spool.ts";

/** Packs a directory into an archive that can be sent. */
export function packDirectory(
  directory: string,
  entries: readonly TreeEntry[],
  onProgress: (sizeBytes: number) => void,
): Promise<Archive> {
  return spool(packRelease(directory, entries), onProgress);
}
