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
          coveredMs: z.int().describe("from the first sample in the window to the last"),
          isUncertain: z.boolean().describe("whether samples cover less than half of the window"),
          bytesPerDay: z
            .number()
            .nullable()
            .describe("how the free bytes change; null: five minutes are not covered"),
          daysLeft: z
            .number()
            .nullable()
            .describe("null: too little is known, it does not shrink, or takes more than ten years"),
          fullAt: z.iso.datetime().nullable(),
        }),
      )
      .describe("the one that is full first comes first"),
  })
  .meta({ id: "Capacity" });
export type CapacityResource = z.infer<typeof capacityResource>;
