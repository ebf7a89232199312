import { AppError } from "@mainstay/api";
import { diffReleases, type Comparable, type ReleaseDiff } from "./domain/release-diff.ts";
import type { Sbom } from "./domain/sbom.ts";
import { readTree } from "./release-tree.ts";
import type { ReleaseRow, ServicesStore } from "./store.ts";

export interface ContentsDependencies {
  store: Pick<ServicesStore, "sbom">;
  /** Throws NOT_FOUND for one that is not there. */
  release(id: string): Promise<ReleaseRow>;
}

/** What releases are made of, and what is different between two of them. */
export function createContents({ store, release }: ContentsDependencies) {
  async function comparable(id: string): Promise<Comparable> {
    const row = await release(id);
    const files = row.collected_at === null ? await readTree(row.directory) : null;
    return { snapshot: row.snapshot, sbom: (await store.sbom(row.digest)) ?? null, files };
  }

  return {
    /** Throws RELEASE_WITHOUT_SBOM when its files did not say. */
    async sbom(id: string): Promise<Sbom> {
      const found = await store.sbom((await release(id)).digest);
      if (!found) throw new AppError("RELEASE_WITHOUT_SBOM", { release: id });
      return found;
    },
    async diff(from: string, to: string): Promise<ReleaseDiff> {
      const [before, after] = await Promise.all([comparable(from), comparable(to)]);
      return diffReleases(before, after);
    },
  };
}
