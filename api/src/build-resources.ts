import { z } from "zod";
import { actorResource, releaseDigest } from "./resources.ts";
import { BUILD_STATES } from "./words.ts";

const time = z.iso.datetime();

export const buildResource = z
  .object({
    id: z.string(),
    service: z.string(),
    environment: z.string(),
    state: z.enum(BUILD_STATES),
    command: z.string(),
    sourceDigest: releaseDigest.describe("of the files it is made from, see docs/formats/release.md"),
    reuses: z.string().nullable().describe("the build of the same source whose result was taken instead"),
    release: z.string().nullable().describe("what it made; null until it succeeded"),
    exitCode: z.int().nullable(),
    reason: z.string().nullable().describe("why it made nothing"),
    output: z.string().describe("the end of what it wrote; empty until it has ended"),
    requestedBy: actorResource,
    createdAt: time,
    startedAt: time.nullable().describe("null while it waits for its turn"),
    finishedAt: time.nullable(),
  })
  .meta({ id: "Build" });
export type BuildResource = z.infer<typeof buildResource>;
