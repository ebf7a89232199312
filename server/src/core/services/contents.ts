import { AppError } from "@mainstay/api";
import { diffReleases, type Comparable, type ReleaseDiff } from "./domain/release-diff.ts";
import type { Sbom } from "./domain/sbom.ts";
import { unpackEntries } from "./entries-text.ts";
import type { ReleaseRow, ServicesStore } from "./store.ts";

export interface ContentsDependencies {
  store: Pick<ServicesStore, "contents">;
  /** Throws NOT_FOUND for one that is not there. */
  release(id: string): Promise<ReleaseRow>;
}

/** What releases are made of, and what is different between two of them. */
export function createContents({ store, release }: ContentsDependencies) {
  async function comparable(id: string): Promise<Comparable> {
    const row = await release(id);
    const { sbom = null, files: packed = null } = (await store.contents(row.digest)) ?? {};
    const files = packed === null ? null : await unpackEntries(packed);
    return { snapshot: row.snapshot, sbom, files };
  }

  return {
    /** Throws RELEASE_WITHOUT_SBOM when its files did not say. */
    async sbom(id: string): Promise<Sbom> {
      const found = await store.contents((await release(id)).digest);
      if (!found?.sbom) throw new AppError("RELEASE_WITHOUT_SBOM", { release: id });
      return found.sbom;
    },
    async diff(from: string, to: string): Promise<ReleaseDiff> {
      const [before, after] = await Promise.all([comparable(from), comparable(to)]);
      return diffReleases(before, after);
    },
  };
}
