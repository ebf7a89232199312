import { z } from "zod";

/** Metrics as scripts send them, and what is answered. */

const METRICS_MAX = 10_000;

const pushedMetric = z.strictObject({
  name: z.string().min(1, "expected the name of a metric, such as backup_size_bytes"),
  labels: z
    .record(z.string().min(1, "expected the name of a label"), z.string("expected text"))
    .default({})
    .refine((labels) => !Object.hasOwn(labels, "__name__"), "expected the name as name, not as a label"),
  value: z.union([z.number(), z.enum(["NaN", "+Inf", "-Inf"])], 'expected a number, "NaN", "+Inf" or "-Inf"'),
  time: z.iso
    .datetime({ offset: true, error: "expected a time such as 2026-01-31T12:00:00Z" })
    .optional()
    .describe("now, unless given"),
  type: z.enum(["counter", "gauge", "unknown"]).optional(),
  help: z.string().optional(),
  unit: z.string().optional(),
});

export const pushedMetrics = z
  .strictObject({
    metrics: z
      .array(pushedMetric)
      .min(1, "expected at least one metric")
      .max(METRICS_MAX, `expected at most ${METRICS_MAX} metrics`),
  })
  .meta({ id: "PushedMetrics" });
export type PushedMetrics = z.output<typeof pushedMetrics>;

export const pushOutcome = z
  .object({
    written: z.int().describe("samples that are kept now"),
    repeated: z.int().describe("how many of them were there before"),
    refused: z.array(
      z.object({
        reason: z.string(),
        count: z.int(),
        message: z.string().describe("about the first of them"),
      }),
    ),
  })
  .meta({ id: "PushOutcome" });
export type PushOutcome = z.infer<typeof pushOutcome>;

const notes = z.array(z.string()).optional();

/** What the HTTP API of Prometheus answers. */
export const prometheusAnswer = z
  .union([
    z.object({ status: z.literal("success"), data: z.unknown(), warnings: notes, infos: notes }),
    z.object({
      status: z.literal("error"),
      errorType: z.enum([
        "bad_data",
        "execution",
        "timeout",
        "unavailable",
        "internal",
        "not_found",
        "bad_response",
      ]),
      error: z.string(),
    }),
  ])
  .meta({ id: "PrometheusAnswer" });
