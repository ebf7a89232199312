import { z } from "zod";
import { releaseResource } from "./resources.ts";

/** What is asked about releases beyond the releases themselves. */

const namedVersions = z.object({ name: z.string(), versions: z.array(z.string()) });
const names = z.array(z.string());
const count = z.int();

export const releaseDiffResource = z
  .object({
    from: z.string(),
    to: z.string(),
    components: z
      .object({
        added: z.array(namedVersions),
        removed: z.array(namedVersions),
        changed: z.array(z.object({ name: z.string(), from: names, to: names })),
      })
      .nullable()
      .describe("packages, by name; null when one of them does not say what it is made of"),
    env: z
      .object({ added: names, removed: names, changed: names })
      .describe("names of variables; their values are not shown"),
    secrets: z.object({ added: names, removed: names }),
    images: z
      .array(z.object({ process: z.string(), from: z.string().nullable(), to: z.string().nullable() }))
      .default([])
      .describe("processes that run in another image, or no longer in one"),
    files: z
      .object({ added: count, removed: count, changed: count, unchanged: count })
      .nullable()
      .describe("numbers of files; null when those of one of them were removed"),
  })
  .meta({ id: "ReleaseDiff" });
export type ReleaseDiffResource = z.infer<typeof releaseDiffResource>;

export const collectReleases = z
  .strictObject({ dryRun: z.boolean().default(false).describe("say what would go, remove nothing") })
  .prefault({});

export const collectionResource = z
  .object({
    dryRun: z.boolean(),
    removed: z.array(releaseResource).describe("releases that lose their files"),
    kept: z.int().describe("releases that keep them"),
    freedBytes: z.number(),
  })
  .meta({ id: "Collection" });
export type CollectionResource = z.infer<typeof collectionResource>;
