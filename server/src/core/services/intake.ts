import { AppError, type ServiceFile } from "@mainstay/api";
import type { Uploads } from "../uploads/index.ts";
import { digestOf } from "./domain/digest.ts";
import { packEntries } from "./entries-text.ts";
import { pinImages, provideImages, type ImageStore } from "./images.ts";
import { readSbom } from "./read-sbom.ts";
import { readSnapshot, type SnapshotWish } from "./read-snapshot.ts";
import type { ReleaseFiles, StoredFiles } from "./release-files.ts";
import type { ContentsRow, ReleaseRow, ServicesStore } from "./store.ts";

/** Where the files come from: one of the three. */
export interface NewRelease extends SnapshotWish {
  /** Absolute path of the directory with the service's files. */
  directory?: string | undefined;
  /** A complete upload that holds their archive. */
  upload?: string | undefined;
  /** The digest of files that are stored already. */
  digest?: string | undefined;
  /** The text of a .minisig file over the digest. */
  signature?: string | undefined;
  /** Values that override or add to `env` of the service file, and to what was set since. */
  env?: Record<string, string> | undefined;
}

/** Which build files come from, and the digest of those it was given. */
export interface Built {
  build: string;
  sourceDigest: string;
}

export interface TakenIn {
  snapshot: ServiceFile;
  stored: StoredFiles;
  contents: ContentsRow;
  /** Null: they came as they are. */
  built: Built | null;
}

/** Files that a build is to make a release of. */
export interface Source {
  snapshot: ServiceFile;
  digest: string;
  /** Copies them to a place that does not exist yet. */
  copyTo(into: string): Promise<void>;
}

/** What a build has left, and from what. */
export interface BuildResult extends Built, SnapshotWish {
  directory: string;
  service: string;
}

export interface IntakeDependencies {
  files: ReleaseFiles;
  uploads: Pick<Uploads, "consume">;
  images: Pick<ImageStore, "resolve">;
  store: Pick<ServicesStore, "builtRelease">;
}

/** Takes the files of a new release into the store, and reads what they say. */
export function createIntake({ files, uploads, images, store }: IntakeDependencies) {
  /** The service file first: what is wrong with it is said before anything is copied. */
  async function takeDirectory(directory: string, wish: SnapshotWish, shownAs?: string): Promise<TakenIn> {
    const snapshot = await readSnapshot(directory, wish, shownAs);
    if (snapshot.build) throw new AppError("RELEASE_TO_BUILD", { file: wish.file });
    await provideImages(snapshot, images);
    return withContents(snapshot, await files.store(directory), null);
  }

  /** Files that a build has left are not built again: theirs is the build of the release that has them. */
  async function takeStored(digest: string, wish: SnapshotWish): Promise<TakenIn> {
    const stored = await files.find(digest);
    if (!stored) throw new AppError("NOT_FOUND", { what: `content ${digest}` });
    const snapshot = await readSnapshot(stored.directory, wish, wish.file);
    const built = builtOf(await store.builtRelease(digest));
    if (snapshot.build && !built) throw new AppError("RELEASE_TO_BUILD", { file: wish.file });
    return withContents(snapshot, stored, built);
  }

  async function withContents(file: ServiceFile, stored: StoredFiles, built: Built | null): Promise<TakenIn> {
    const { digest, directory, entries } = stored;
    const snapshot = await pinImages(file, images);
    const [sbom, packed] = await Promise.all([readSbom(directory, digest), packEntries(entries)]);
    return { snapshot, stored, contents: { digest, sbom, files: packed }, built };
  }

  return {
    async takeIn(input: NewRelease): Promise<TakenIn> {
      const { directory, upload, digest } = input;
      if (digest !== undefined) return takeStored(digest, input);
      if (upload === undefined) return takeDirectory(directory ?? "", input);
      return uploads.consume(upload, (archive) =>
        files.unpack(archive, (unpacked) => takeDirectory(unpacked, input, input.file)),
      );
    },

    /**
     * Hands out the source of a release for as long as `use` takes. Throws BUILD_NONE when there is no build.
     */
    async withSource<Result>(input: NewRelease, use: (source: Source) => Promise<Result>): Promise<Result> {
      const { directory, upload, file } = input;
      async function open(root: string, shownAs?: string): Promise<Result> {
        const snapshot = await readSnapshot(root, input, shownAs);
        if (!snapshot.build) throw new AppError("BUILD_NONE", { file });
        const entries = await files.read(root, { isBuilt: true });
        return use({
          snapshot,
          digest: digestOf(entries),
          copyTo: (into) => files.copyTo(root, entries, into),
        });
      }
      if (upload === undefined) return open(directory ?? "");
      return uploads.consume(upload, (archive) => files.unpack(archive, (unpacked) => open(unpacked, file)));
    },

    /** Takes in what a build has left. Its service file counts as the build left it, but for whose it is. */
    async takeBuilt({ directory, service, build, sourceDigest, ...wish }: BuildResult): Promise<TakenIn> {
      const snapshot = await readSnapshot(directory, wish, wish.file);
      if (snapshot.service !== service) {
        const reason = `the build has made it a release of ${snapshot.service}`;
        throw new AppError("RELEASE_DIRECTORY", { path: wish.file, reason });
      }
      return withContents(snapshot, await files.storeBuilt(directory), { build, sourceDigest });
    },
  };
}

export type Intake = ReturnType<typeof createIntake>;

function builtOf(row: ReleaseRow | undefined): Built | null {
  if (!row?.build || !row.source_digest) return null;
  return { build: row.build, sourceDigest: row.source_digest };
}
