/** A host (null: any; "*.example.com": every name below example.com) and the start of a path. */
export interface RouteOf<Target> {
  host: string | null;
  path: string;
  target: Target;
}

export interface Routes<Target> {
  /** What serves a host (lower case, without port) and path; null when nothing does. */
  find(host: string, path: string): Target | null;
}

type ByHost<Target> = Map<string, { path: string; target: Target }[]>;

const ANY_HOST = "*";

/** Exact host before wildcard, longer wildcard before shorter, any host last; then the longest path. */
export function createRoutes<Target>(all: RouteOf<Target>[]): Routes<Target> {
  const byHost = sortByHost(all);
  const hasWildcards = [...byHost.keys()].some((host) => host.startsWith("*."));

  function below(host: string, path: string): Target | null {
    for (let dot = host.indexOf("."); dot >= 0; dot = host.indexOf(".", dot + 1)) {
      const found = findPath(byHost.get(`*${host.slice(dot)}`), path);
      if (found !== null) return found;
    }
    return null;
  }

  return {
    find: (host, path) =>
      findPath(byHost.get(host), path) ??
      (hasWildcards ? below(host, path) : null) ??
      findPath(byHost.get(ANY_HOST), path),
  };
}

function sortByHost<Target>(all: RouteOf<Target>[]): ByHost<Target> {
  const byHost: ByHost<Target> = new Map();
  for (const { host, path, target } of all) {
    const key = host?.toLowerCase() ?? ANY_HOST;
    const list = byHost.get(key) ?? [];
    list.push({ path: path.length > 1 && path.endsWith("/") ? path.slice(0, -1) : path, target });
    byHost.set(key, list);
  }
  for (const list of byHost.values()) list.sort((a, b) => b.path.length - a.path.length);
  return byHost;
}

function findPath<Target>(list: { path: string; target: Target }[] | undefined, path: string): Target | null {
  if (list) for (const each of list) if (isBelow(path, each.path)) return each.target;
  return null;
}

/** "/api" holds "/api", "/api/x" and "/api?x", but not "/apix". */
function isBelow(path: string, prefix: string): boolean {
  if (prefix === "/") return true;
  if (!path.startsWith(prefix)) return false;
  const next = path.charCodeAt(prefix.length);
  return Number.isNaN(next) || next === 0x2f || next === 0x3f;
}
