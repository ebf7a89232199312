import type { Audit } from "../audit/index.ts";
import type { Clock } from "../../kernel/clock.ts";
import type { Database } from "../../kernel/database/index.ts";
import type { RunOne } from "./one-at-a-time.ts";
import { planCollection, type CollectionPlan } from "./domain/collection.ts";
import type { ReleaseFiles } from "./release-files.ts";
import { imagesOf, type ImageStore } from "./images.ts";
import type { Origin } from "../../kernel/http/index.ts";
import type { ReleaseRow, ServicesStore } from "./store.ts";

/** For so long it is tried again to remove the images of a release. */
const IMAGES_LOOK_BACK_MS = 7 * 86_400_000;

export interface CollectorDependencies {
  db: Database;
  clock: Clock;
  audit: Audit;
  store: ServicesStore;
  files: ReleaseFiles;
  images: Pick<ImageStore, "remove">;
  /** Releases are not registered while their files are sorted out. */
  runOne: RunOne;
}

export interface CollectWish {
  /** Releases that changes under way name, and those that could be gone back to. */
  referenced: () => Promise<string[]>;
  keepNewest: number;
  dryRun: boolean;
}

/** Makes room, with what only the whole house knows filled in. */
export type Collect = (wish: Pick<CollectWish, "dryRun">, origin: Origin) => Promise<Collection>;

export interface Collection {
  dryRun: boolean;
  removed: ReleaseRow[];
  kept: number;
  freedBytes: number;
}

/** Makes room: takes the files of releases that nobody needs, and leftovers that belong to none. */
export function createCollector({ db, clock, audit, store, files, images, runOne }: CollectorDependencies) {
  async function plan({ referenced, keepNewest }: CollectWish) {
    const rows = await store.allReleases();
    const inUse = new Set([...(await store.releasesInPlace()), ...(await referenced())]);
    const releases = rows.map((each) => ({ ...each, isCollected: each.collected_at !== null }));
    return { rows, plan: planCollection({ releases, inUse, keepNewest }) };
  }

  async function collect(wish: CollectWish, origin: Origin): Promise<Collection> {
    return runOne(async () => {
      const { rows, plan: planned } = await plan(wish);
      const rowsOf = (ids: ReadonlySet<string>) => rows.filter((each) => ids.has(each.id));
      const wanted = rowsOf(new Set(planned.remove.map((each) => each.id)));
      const kept = planned.kept.length;
      if (wish.dryRun) {
        const freedBytes = await sizeOf(planned);
        return { dryRun: true, removed: wanted, kept, freedBytes };
      }
      const marked = await mark(wanted, wish, origin);
      const removed = rowsOf(marked);
      const collected = await store.digestsCollected();
      const freedBytes = await files.remove(collected);
      await store.forgetFiles(collected);
      await removeImages(rows, marked);
      return { dryRun: false, removed, kept: kept + wanted.length - removed.length, freedBytes };
    });
  }

  /**
   * Of releases that lost their files, now or when the machine was away; never one that a release still has.
   */
  async function removeImages(rows: ReleaseRow[], marked: ReadonlySet<string>): Promise<void> {
    const sinceMs = clock.now().getTime() - IMAGES_LOOK_BACK_MS;
    const isHeld = (each: ReleaseRow) => each.collected_at === null && !marked.has(each.id);
    const held = new Set(rows.filter(isHeld).flatMap(({ snapshot }) => imagesOf(snapshot)));
    const left = rows
      .filter((each) => marked.has(each.id) || (each.collected_at?.getTime() ?? 0) > sinceMs)
      .flatMap(({ snapshot }) => imagesOf(snapshot));
    const removable = [...new Set(left)].filter((each) => !held.has(each));
    if (removable.length > 0) await images.remove(removable);
  }

  async function sizeOf({ digests }: CollectionPlan): Promise<number> {
    const sizes = await Promise.all(digests.map((digest) => files.sizeOf(digest)));
    return sizes.reduce((sum, each) => sum + each, 0);
  }

  /** Marks them, except those that came into use meanwhile; only then may their files go. */
  async function mark(rows: ReleaseRow[], { referenced }: CollectWish, origin: Origin): Promise<Set<string>> {
    const late = new Set(await referenced());
    const wanted = rows.filter((each) => !late.has(each.id));
    return db.transaction().execute(async (tx) => {
      const ids = await store.markCollected(
        tx,
        wanted.map((each) => each.id),
        clock.now(),
      );
      const marked = new Set(ids);
      for (const row of wanted.filter((each) => marked.has(each.id))) {
        await audit.record(tx, {
          ...origin,
          action: "services.release_collected",
          resource: { type: "release", id: row.id },
          service: row.service,
          environment: row.environment,
          after: { digest: row.digest },
          reason: "its files are no longer needed",
        });
      }
      return marked;
    });
  }

  return { collect };
}
