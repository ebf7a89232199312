import { z } from "zod";

const counts = z.record(z.string(), z.int());

const remoteWriteResource = z
  .object({
    name: z.string(),
    url: z.string().describe("without what stands behind its path"),
    state: z.enum(["sending", "failing"]).describe("failing: what was sent last has to be sent again"),
    protocol: z
      .union([z.literal(1), z.literal(2)])
      .nullable()
      .describe("null: not found out as yet"),
    sentSamples: z.int().describe("samples and native histograms that were taken, since the start"),
    retriedSamples: z.int().describe("how often one had to be sent again"),
    failedSamples: counts.describe("refused by the receiver and not sent again, by status"),
    droppedSamples: counts.describe("never sent, by reason"),
    backlogBytes: z.int().describe("of the log, not sent as yet"),
    behindSeconds: z
      .number()
      .nullable()
      .describe("from the newest sample that was sent to the newest of all"),
    lastSentAt: z.iso.datetime().nullable(),
    failingSince: z.iso.datetime().nullable(),
    lastError: z.string().nullable().describe("why it is failing"),
    firstRefusal: z
      .object({ at: z.iso.datetime(), status: z.int(), message: z.string() })
      .nullable()
      .describe("the first answer, since the start, by which samples were lost"),
  })
  .meta({ id: "RemoteWrite" });
export type RemoteWriteResource = z.infer<typeof remoteWriteResource>;

export const remoteWriteList = z.object({ items: z.array(remoteWriteResource) });
