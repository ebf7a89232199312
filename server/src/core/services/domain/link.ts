import path from "node:path";

/**
 * Whether a symbolic link at `linkPath` (relative to the release) with this target stays inside the release,
 * whatever other links its way leads through: ".." may only stand at its beginning, where it climbs real
 * directories.
 */
export function staysInside(linkPath: string, target: string): boolean {
  if (target === "" || path.posix.isAbsolute(target) || target.includes("\0")) return false;
  const parts = target.split("/").filter((part) => part !== "" && part !== ".");
  const ups = parts.findIndex((part) => part !== "..");
  const climbed = ups === -1 ? parts.length : ups;
  const depth = linkPath.split("/").length - 1;
  return climbed <= depth && !parts.slice(climbed).includes("..");
}
