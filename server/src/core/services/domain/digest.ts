import { createHash } from "node:crypto";

/**
 * One entry of a release directory. `content` is the SHA-256
 * of a file's bytes (hex) or a symbolic link's target.
 */
export interface TreeEntry {
  /** Relative to the release directory, with "/" between its parts. */
  path: string;
  type: "file" | "link";
  executable: boolean;
  content: string;
}

/**
 * The content digest of a release: SHA-256 over one line per entry, sorted by
 * path in byte order. Times and owners do not count; names, contents and the
 * executable bit do. docs/formats/release.md specifies it for other readers.
 */
export function digestOf(entries: readonly TreeEntry[]): string {
  const hash = createHash("sha256");
  hash.update("mainstay-release-v1\n");
  const lines = entries.map((each) => JSON.stringify([each.path, each.type, each.executable, each.content]));
  for (const line of lines.toSorted(byBytes)) hash.update(`${line}\n`);
  return `sha256:${hash.digest("hex")}`;
}

function byBytes(left: string, right: string): number {
  return Buffer.compare(Buffer.from(left), Buffer.from(right));
}
