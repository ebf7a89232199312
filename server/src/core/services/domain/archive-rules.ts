import path from "node:path";
import { AppError } from "@mainstay/api";
import { staysInside } from "./link.ts";

/** What stands before an entry of a tar archive, as far as it matters here. */
export interface EntryHeader {
  name: string;
  type?: string | undefined;
  mode?: number | undefined;
  linkname?: string | undefined;
}

export type Placed =
  | { type: "file"; path: string; executable: boolean }
  | { type: "link"; path: string; target: string }
  | { type: "directory"; path: string };

export interface ArchiveRules {
  /** Where an entry goes; null for one that means nothing. Throws ARCHIVE_REFUSED with the reason. */
  place(header: EntryHeader): Placed | null;
}

const PATH_LIMIT_BYTES = 4_096;
const PART_LIMIT_BYTES = 255;

/** What an archive may hold: files, links that stay inside, directories; each name once. */
export function createArchiveRules({ maxFiles }: { maxFiles: number }): ArchiveRules {
  const seen = new Map<string, Placed["type"]>();
  let count = 0;

  function claim(placed: Placed): Placed {
    const { path: name, type } = placed;
    for (let parent = path.posix.dirname(name); parent !== "."; parent = path.posix.dirname(parent)) {
      const found = seen.get(parent) ?? "directory";
      if (found !== "directory") throw refused(name, `${parent} is a ${found}, and nothing can lie below it`);
      seen.set(parent, "directory");
    }
    const before = seen.get(name);
    if (before === "directory" && type === "directory") return placed;
    if (before) throw refused(name, "it is there twice");
    seen.set(name, type);
    return placed;
  }

  return {
    place(header) {
      const name = pathOf(header.name);
      if (name === "") return null;
      const placed = placedAs(header, name);
      if (placed.type !== "directory") count += 1;
      if (count > maxFiles) throw refused(name, `there are more than ${maxFiles} files (uploads.maxFiles)`);
      return claim(placed);
    },
  };
}

function placedAs({ type = "file", mode = 0, linkname = "" }: EntryHeader, name: string): Placed {
  if (type === "directory") return { type, path: name };
  if (type === "file") return { type, path: name, executable: (mode & 0o100) !== 0 };
  if (type !== "symlink") throw refused(name, `it is a ${type.replace(/^link$/, "hard link")}`);
  if (!staysInside(name, linkname)) throw refused(name, `the link leads outside, or may, to ${linkname}`);
  return { type: "link", path: name, target: linkname };
}

/** "./a//b/" → "a/b"; empty for the root itself. */
function pathOf(name: string): string {
  if (name.startsWith("/")) throw refused(name, "its path is absolute");
  if (name.includes("\0")) throw refused("an entry", "its path holds a zero byte");
  if (Buffer.byteLength(name) > PATH_LIMIT_BYTES)
    throw refused(`${name.slice(0, 40)}…`, `its path is longer than ${PATH_LIMIT_BYTES} bytes`);
  const parts = name.split("/").filter((part) => part !== "" && part !== ".");
  if (parts.includes("..")) throw refused(name, 'its path climbs with ".."');
  const long = parts.find((part) => Buffer.byteLength(part) > PART_LIMIT_BYTES);
  if (long !== undefined)
    throw refused(`${long.slice(0, 40)}…`, `its name is longer than ${PART_LIMIT_BYTES} bytes`);
  return parts.join("/");
}

function refused(entry: string, reason: string): AppError {
  return new AppError("ARCHIVE_REFUSED", { reason: `${entry}: ${reason}` });
}
