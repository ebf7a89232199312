import { z } from "zod";

/** When disks are full. */
export const capacityResource = z
  .object({
    windowMs: z.int().describe("the past that is continued in a straight line"),
    disks: z
      .array(
        z.object({
          instance: z.string(),
          mountpoint: z.string(),
          device: z.string(),
          freeBytes: z.number(),
          sizeBytes: z.number().nullable(),
          bytesPerDay: z.number().nullable().describe("how the free bytes change; null: too little is known"),
          daysLeft: z.number().nullable().describe("null: it does not shrink, or takes more than ten years"),
          fullAt: z.iso.datetime().nullable(),
        }),
      )
      .describe("the one that is full first comes first"),
  })
  .meta({ id: "Capacity" });
export type CapacityResource = z.infer<typeof capacityResource>;
