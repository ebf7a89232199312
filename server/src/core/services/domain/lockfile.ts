import path from "node:path";
import { z } from "zod";

/** One package as npm installed it, or would. */
export interface LockedPackage {
  /** Where it lies, as in "node_modules/a/node_modules/b". */
  at: string;
  name: string;
  version: string;
  integrity: string | null;
  license: string | null;
  isDev: boolean;
  isOptional: boolean;
  /** Names of what it needs. */
  needs: string[];
}

const PACKAGES_MAX = 50_000;

const names = z.record(z.string(), z.unknown()).default({});
const lockedPackage = z.object({
  name: z.string().optional(),
  version: z.string().optional(),
  integrity: z.string().optional(),
  license: z.unknown().optional(),
  link: z.boolean().optional(),
  dev: z.boolean().optional(),
  optional: z.boolean().optional(),
  devOptional: z.boolean().optional(),
  dependencies: names,
  optionalDependencies: names,
});
const lockfile = z.object({ packages: z.record(z.string(), lockedPackage) });

/**
 * The packages of a lock file of npm 7 or newer (lockfileVersion 2 and 3), the hidden one in node_modules
 * included; null for anything else.
 */
export function readLockfile(text: string): LockedPackage[] | null {
  const parsed = lockfile.safeParse(parseJson(text));
  if (!parsed.success) return null;
  const entries = Object.entries(parsed.data.packages);
  if (entries.length > PACKAGES_MAX) return null;
  return entries.flatMap(([at, each]) => {
    if (each.link || each.version === undefined || !at.includes("node_modules/")) return [];
    const { version, integrity = null, license, dev, optional, devOptional } = each;
    return {
      at,
      name: each.name ?? at.slice(at.lastIndexOf("node_modules/") + "node_modules/".length),
      version,
      integrity,
      license: typeof license === "string" ? license : null,
      isDev: dev ?? devOptional ?? false,
      isOptional: optional ?? devOptional ?? false,
      needs: Object.keys({ ...each.dependencies, ...each.optionalDependencies }),
    };
  });
}

/** Where node finds a package from: beside the one that needs it, or beside whatever that lies in. */
export function resolvePackage(
  known: ReadonlyMap<string, LockedPackage>,
  from: string,
  name: string,
): LockedPackage | null {
  for (let at = from; ; at = path.posix.dirname(at)) {
    if (path.posix.basename(at) === "node_modules") continue;
    const found = known.get(path.posix.join(at, "node_modules", name));
    if (found) return found;
    if (at === "." || at === "") return null;
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
