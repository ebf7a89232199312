import { changeResource, platformResource, serviceResource, timelineEntry } from "@mainstay/api";
import { z } from "zod";

/** What `mainstay --json status` prints. */
export const statusDocument = z.object({ platform: platformResource, services: serviceResource.array() });

/** What `mainstay --json change show` prints. */
export const changeDocument = changeResource.extend({ timeline: timelineEntry.array() });
