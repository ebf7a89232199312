import path from "node:path";

/**
 * Whether a symbolic link at `linkPath` (relative to the release) with this target stays inside the release.
 */
export function staysInside(linkPath: string, target: string): boolean {
  if (path.posix.isAbsolute(target)) return false;
  const resolved = path.posix.normalize(path.posix.join(path.posix.dirname(linkPath), target));
  return resolved !== ".." && !resolved.startsWith("../");
}
