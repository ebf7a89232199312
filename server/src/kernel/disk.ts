import { statfs } from "node:fs/promises";

/** How much an ordinary account may still write where the directory lies. */
export async function freeBytesAt(directory: string): Promise<number> {
  const { bavail, bsize } = await statfs(directory);
  return bavail * bsize;
}
