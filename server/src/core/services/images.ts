import type { ServiceFile } from "@mainstay/api";

/** Container images, as far as releases are concerned; the machine that runs them knows how to get them. */
export interface ImageStore {
  /** The image's name with its digest, once it is on that machine. */
  resolve(image: string): Promise<string>;
  /** Takes away those that no container uses. */
  remove(images: readonly string[]): Promise<string[]>;
}

type Processes = Pick<ServiceFile, "processes">;

/** Every image of a release, each once. */
export function imagesOf({ processes }: Processes): string[] {
  return [...new Set(Object.values(processes).flatMap((each) => each.image ?? []))];
}

/** The service file with the digest of each image in place of its tag: what a tag means may change. */
export async function pinImages(
  file: ServiceFile,
  { resolve }: Pick<ImageStore, "resolve">,
): Promise<ServiceFile> {
  const pinned = new Map<string, string>();
  for (const image of imagesOf(file)) pinned.set(image, await resolve(image));
  const processes = Object.entries(file.processes).map(([name, each]) => {
    const image = pinned.get(each.image ?? "");
    return [name, image === undefined ? each : { ...each, image }] as const;
  });
  return { ...file, processes: Object.fromEntries(processes) };
}

/** Resolves when every image is on the machine that runs them; throws what keeps one from it. */
export async function provideImages(file: Processes, store: Pick<ImageStore, "resolve">): Promise<void> {
  for (const image of imagesOf(file)) await store.resolve(image);
}
