import { changeResource, platformResource, serviceResource, timelineEntry } from "@mainstay/api";
import { z } from "zod";

const waiting = changeResource.extend({ ahead: z.int(), behind: z.string().nullable() });

/** What `mainstay --json status` prints. */
export const statusDocument = z.object({
  platform: platformResource,
  services: serviceResource.array(),
  queue: waiting.array(),
});

/** What `mainstay --json change show` prints. */
export const changeDocument = changeResource.extend({ timeline: timelineEntry.array() });
