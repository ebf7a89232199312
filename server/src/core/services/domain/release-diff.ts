import type { ServiceFile } from "@mainstay/api";
import type { TreeEntry } from "./digest.ts";
import type { Sbom } from "./sbom.ts";

/** A release as it is compared. */
export interface Comparable {
  snapshot: Pick<ServiceFile, "env" | "secrets" | "processes">;
  sbom: Sbom | null;
  /** Null when the files are gone. */
  files: readonly TreeEntry[] | null;
}

export interface NamedVersions {
  name: string;
  versions: string[];
}

export interface ReleaseDiff {
  /** Null when one of them does not say what it is made of. */
  components: {
    added: NamedVersions[];
    removed: NamedVersions[];
    changed: { name: string; from: string[]; to: string[] }[];
  } | null;
  env: { added: string[]; removed: string[]; changed: string[] };
  secrets: { added: string[]; removed: string[] };
  images: { process: string; from: string | null; to: string | null }[];
  /** Null when the files of one of them are gone. */
  files: { added: number; removed: number; changed: number; unchanged: number } | null;
}

/** What is different in `to`. Variables are told by their names: their values are nobody's business here. */
export function diffReleases(from: Comparable, to: Comparable): ReleaseDiff {
  return {
    components: from.sbom && to.sbom ? diffComponents(from.sbom, to.sbom) : null,
    env: named(
      diffKeys(new Map(Object.entries(from.snapshot.env)), new Map(Object.entries(to.snapshot.env))),
    ),
    secrets: diffNames(from.snapshot.secrets, to.snapshot.secrets),
    images: diffImages(from.snapshot.processes, to.snapshot.processes),
    files: from.files && to.files ? diffFiles(from.files, to.files) : null,
  };
}

interface KeyDiff {
  added: string[];
  removed: string[];
  changed: string[];
  unchanged: string[];
}

/** Which keys are only in one of the maps, and which have another value. */
function diffKeys(from: ReadonlyMap<string, string>, to: ReadonlyMap<string, string>): KeyDiff {
  const both = [...to.keys()].filter((key) => from.has(key));
  return {
    added: [...to.keys()].filter((key) => !from.has(key)).toSorted(),
    removed: [...from.keys()].filter((key) => !to.has(key)).toSorted(),
    changed: both.filter((key) => from.get(key) !== to.get(key)).toSorted(),
    unchanged: both.filter((key) => from.get(key) === to.get(key)),
  };
}

function named({ added, removed, changed }: KeyDiff): ReleaseDiff["env"] {
  return { added, removed, changed };
}

function diffNames(from: readonly string[], to: readonly string[]): ReleaseDiff["secrets"] {
  const known = (names: readonly string[]) => new Map(names.map((name) => [name, ""]));
  const { added, removed } = diffKeys(known(from), known(to));
  return { added, removed };
}

/** Processes that run in another image than before, or in one where there was none. */
function diffImages(from: ServiceFile["processes"], to: ServiceFile["processes"]): ReleaseDiff["images"] {
  const imageOf = (processes: ServiceFile["processes"], name: string) => processes[name]?.image ?? null;
  return [...new Set([...Object.keys(from), ...Object.keys(to)])]
    .map((process) => ({ process, from: imageOf(from, process), to: imageOf(to, process) }))
    .filter((each) => each.from !== each.to);
}

function diffFiles(from: readonly TreeEntry[], to: readonly TreeEntry[]): ReleaseDiff["files"] {
  const known = (files: readonly TreeEntry[]) =>
    new Map(files.map((each) => [each.path, `${each.type} ${each.executable} ${each.content}`]));
  const { added, removed, changed, unchanged } = diffKeys(known(from), known(to));
  return {
    added: added.length,
    removed: removed.length,
    changed: changed.length,
    unchanged: unchanged.length,
  };
}

/** By name: a package may be there in several versions at once. */
function diffComponents(from: Sbom, to: Sbom): NonNullable<ReleaseDiff["components"]> {
  const [before, after] = [versionsOf(from), versionsOf(to)];
  const text = (versions: Map<string, string[]>) =>
    new Map([...versions].map(([name, all]) => [name, all.join(" ")]));
  const { added, removed, changed } = diffKeys(text(before), text(after));
  return {
    added: added.map((name) => ({ name, versions: after.get(name) ?? [] })),
    removed: removed.map((name) => ({ name, versions: before.get(name) ?? [] })),
    changed: changed.map((name) => ({ name, from: before.get(name) ?? [], to: after.get(name) ?? [] })),
  };
}

function versionsOf({ components }: Sbom): Map<string, string[]> {
  const versions = new Map<string, string[]>();
  for (const { group, name, version } of components) {
    const full = group === undefined ? name : `${group}/${name}`;
    versions.set(full, [...(versions.get(full) ?? []), version].toSorted());
  }
  return versions;
}
