/** A release as far as it matters for making room. Ids sort by the time they were made. */
export interface HeldRelease {
  id: string;
  service: string;
  environment: string;
  digest: string;
  isCollected: boolean;
}

export interface Holdings {
  releases: readonly HeldRelease[];
  /** Releases that serve, are on trial, may be gone back to, or are named by a change under way. */
  inUse: ReadonlySet<string>;
  /** How many of a service's newest releases keep their files in any case. */
  keepNewest: number;
}

export interface CollectionPlan {
  /** Releases that lose their files. */
  remove: HeldRelease[];
  kept: HeldRelease[];
  /** Digests whose files nobody needs any more: releases may share them. */
  digests: string[];
}

/** Which releases make room. Never one that is in use, never one of the newest of its service. */
export function planCollection({ releases, inUse, keepNewest }: Holdings): CollectionPlan {
  const held = releases.filter((each) => !each.isCollected);
  const newest = new Set([...byService(held).values()].flatMap((all) => newestOf(all, keepNewest)));
  const isKept = (each: HeldRelease) => inUse.has(each.id) || newest.has(each.id);
  const kept = held.filter(isKept);
  const remove = held.filter((each) => !isKept(each));
  const needed = new Set(kept.map((each) => each.digest));
  const digests = [...new Set(remove.map((each) => each.digest))].filter((digest) => !needed.has(digest));
  return { remove, kept, digests };
}

function byService(releases: readonly HeldRelease[]): Map<string, HeldRelease[]> {
  return Map.groupBy(releases, ({ service, environment }) => `${environment}/${service}`);
}

function newestOf(releases: HeldRelease[], count: number): string[] {
  return releases
    .map((each) => each.id)
    .toSorted()
    .slice(-count);
}
