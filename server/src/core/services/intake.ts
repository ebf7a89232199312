import { AppError, type ServiceFile } from "@mainstay/api";
import type { Uploads } from "../uploads/index.ts";
import { packEntries } from "./entries-text.ts";
import { pinImages, type ImageStore } from "./images.ts";
import { readSbom } from "./read-sbom.ts";
import { readSnapshot, type SnapshotWish } from "./read-snapshot.ts";
import type { ReleaseFiles, StoredFiles } from "./release-files.ts";
import type { ContentsRow } from "./store.ts";

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

export interface TakenIn {
  snapshot: ServiceFile;
  stored: StoredFiles;
  contents: ContentsRow;
}

export interface IntakeDependencies {
  files: ReleaseFiles;
  uploads: Pick<Uploads, "consume">;
  images: Pick<ImageStore, "resolve">;
}

/** Takes the files of a new release into the store, and reads what they say. */
export function createIntake({ files, uploads, images }: IntakeDependencies) {
  /** The service file first: what is wrong with it is said before anything is copied. */
  async function takeDirectory(directory: string, wish: SnapshotWish, shownAs?: string): Promise<TakenIn> {
    const snapshot = await pinImages(await readSnapshot(directory, wish, shownAs), images);
    return withContents(snapshot, await files.store(directory));
  }

  async function takeStored(digest: string, wish: SnapshotWish): Promise<TakenIn> {
    const stored = await files.find(digest);
    if (!stored) throw new AppError("NOT_FOUND", { what: `content ${digest}` });
    const snapshot = await readSnapshot(stored.directory, wish, wish.file);
    return withContents(await pinImages(snapshot, images), stored);
  }

  async function withContents(snapshot: ServiceFile, stored: StoredFiles): Promise<TakenIn> {
    const { digest, directory, entries } = stored;
    const [sbom, packed] = await Promise.all([readSbom(directory, digest), packEntries(entries)]);
    return { snapshot, stored, contents: { digest, sbom, files: packed } };
  }

  return async function takeIn(input: NewRelease): Promise<TakenIn> {
    const { directory, upload, digest } = input;
    if (digest !== undefined) return takeStored(digest, input);
    if (upload === undefined) return takeDirectory(directory ?? "", input);
    return uploads.consume(upload, (archive) =>
      files.unpack(archive, (unpacked) => takeDirectory(unpacked, input, input.file)),
    );
  };
}
