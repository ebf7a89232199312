import { promisify } from "node:util";
import { gunzip, gzip } from "node:zlib";
import { z } from "zod";
import type { TreeEntry } from "./domain/digest.ts";

const entries = z.array(
  z.object({
    path: z.string(),
    type: z.enum(["file", "link"]),
    executable: z.boolean(),
    content: z.string(),
  }),
);

/** The entries of a tree as they are kept: gzipped JSON. */
export function packEntries(tree: readonly TreeEntry[]): Promise<Buffer> {
  return promisify(gzip)(JSON.stringify(tree));
}

/** The entries that `packEntries` packed. */
export async function unpackEntries(packed: Uint8Array): Promise<TreeEntry[]> {
  return entries.parse(JSON.parse(String(await promisify(gunzip)(packed))));
}
