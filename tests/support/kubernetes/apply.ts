import { isDeepStrictEqual } from "node:util";

/** JSON as it comes over the wire. */
export type Tree = Record<string, unknown>;

function isTree(value: unknown): value is Tree {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** JSON merge patch (RFC 7396): null removes, objects are merged, anything else takes the place. */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isTree(patch)) return patch;
  const merged: Tree = isTree(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete merged[key];
    else merged[key] = mergePatch(merged[key], value);
  }
  return merged;
}

/** Whose value stands in a field, by the field's path. */
export type Owners = ReadonlyMap<string, string>;

/**
 * The fields of an object that somebody can own: leaves and whole lists. The real server looks into
 * lists that have keys, such as containers; whoever applies whole objects cannot tell the difference.
 */
function fieldsOf(tree: Tree, prefix = ""): Map<string, unknown> {
  const fields = new Map<string, unknown>();
  for (const [key, value] of Object.entries(tree)) {
    const path = `${prefix}/${key.replaceAll("/", "~1")}`;
    if (isTree(value)) for (const [inner, leaf] of fieldsOf(value, path)) fields.set(inner, leaf);
    else fields.set(path, value);
  }
  return fields;
}

/** After a plain write (create, replace, patch) whoever wrote owns what is not as before. */
export function ownAfterWrite(
  owners: Owners,
  { before, after, manager }: { before: Tree; after: Tree; manager: string },
): Owners {
  const old = fieldsOf(before);
  const next = new Map<string, string>();
  for (const [path, value] of fieldsOf(after)) {
    const isKept = old.has(path) && isDeepStrictEqual(old.get(path), value);
    const owner = isKept ? owners.get(path) : manager;
    if (owner !== undefined) next.set(path, owner);
  }
  return next;
}

export interface Applied {
  object: Tree;
  owners: Owners;
  /** Fields that another manager set to something else: without force, nothing is written. */
  conflicts: { path: string; manager: string }[];
}

/**
 * Server-side apply: what a manager applies is all that it wants. Its fields are set, those that it applied
 * before and leaves out now are removed, and everybody else's stay.
 */
export function serverSideApply(
  live: Tree,
  owners: Owners,
  { wanted, manager }: { wanted: Tree; manager: string },
): Applied {
  const fields = fieldsOf(wanted);
  const current = fieldsOf(live);
  const conflicts = [...fields].flatMap(([path, value]) => {
    const owner = owners.get(path);
    const isTheirs = owner !== undefined && owner !== manager;
    return isTheirs && !isDeepStrictEqual(current.get(path), value) ? [{ path, manager: owner }] : [];
  });
  const next = new Map(owners);
  let object = live;
  for (const [path, owner] of owners) {
    if (owner !== manager || fields.has(path)) continue;
    next.delete(path);
    object = without(object, path.slice(1).split("/"));
  }
  for (const path of fields.keys()) next.set(path, manager);
  return { object: mergePatch(object, wanted) as Tree, owners: next, conflicts };
}

/** A copy without the field, and without objects that were left empty by that. */
function without(tree: Tree, [head = "", ...rest]: string[]): Tree {
  const key = head.replaceAll("~1", "/");
  const { [key]: value, ...others } = tree;
  if (rest.length === 0 || !isTree(value)) return others;
  const inner = without(value, rest);
  return Object.keys(inner).length === 0 ? others : { ...others, [key]: inner };
}
