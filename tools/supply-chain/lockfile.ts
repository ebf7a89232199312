import { posix } from "node:path";
import { z } from "zod";

const names = z.record(z.string(), z.string()).default({});
const entry = z.object({
  name: z.string().optional(),
  version: z.string().optional(),
  resolved: z.string().optional(),
  integrity: z.string().optional(),
  license: z.string().optional(),
  link: z.boolean().default(false),
  hasInstallScript: z.boolean().default(false),
  dependencies: names,
  devDependencies: names,
  optionalDependencies: names,
  peerDependencies: names,
  peerDependenciesMeta: z.record(z.string(), z.object({ optional: z.boolean().optional() })).default({}),
});
export type LockEntry = z.infer<typeof entry>;

/** package-lock.json: by the place of each package, as in "server" or "node_modules/zod". */
export type Lockfile = ReadonlyMap<string, LockEntry>;

/** Throws for anything but a lock file of npm 7 or newer. */
export function parseLockfile(text: string): Lockfile {
  const { packages } = z.object({ packages: z.record(z.string(), entry) }).parse(JSON.parse(text));
  return new Map(Object.entries(packages));
}

/** What is shipped: everything else here makes, measures or tests it. */
export function isShipped(workspace: string): boolean {
  return /^(agent|api|cli|server|engines\/[a-z]+)$/.test(workspace);
}

/** Everything from a registry that what is shipped needs, at any remove. */
export function productionPackages(lockfile: Lockfile): Map<string, LockEntry> {
  const found = new Map<string, LockEntry>();
  const waiting = [...lockfile.keys()].filter(isShipped);
  for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
    const each = lockfile.get(at);
    for (const name of each ? needsOf(each) : []) {
      const place = resolvePlace(lockfile, at, name);
      const needed = place === null ? undefined : lockfile.get(place);
      if (place === null || !needed || needed.link || found.has(place)) continue;
      found.set(place, needed);
      waiting.push(place);
    }
  }
  // The programs that come with the repository itself: Node and PostgreSQL.
  for (const name of Object.keys(lockfile.get("")?.optionalDependencies ?? {})) {
    const place = `node_modules/${name}`;
    const each = lockfile.get(place);
    if (each) found.set(place, each);
  }
  return found;
}

function needsOf(each: LockEntry): string[] {
  const peers = Object.keys(each.peerDependencies).filter(
    (name) => each.peerDependenciesMeta[name]?.optional !== true,
  );
  return [...Object.keys({ ...each.dependencies, ...each.optionalDependencies }), ...peers];
}

/** Where Node finds a package from: beside the one that needs it, or beside whatever that lies in. */
function resolvePlace(lockfile: Lockfile, from: string, name: string): string | null {
  for (let at = from; ; at = posix.dirname(at)) {
    const place = at === "." ? `node_modules/${name}` : `${at}/node_modules/${name}`;
    if (posix.basename(at) !== "node_modules" && lockfile.has(place)) return place;
    if (at === ".") return null;
  }
}
