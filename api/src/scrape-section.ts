import { z } from "zod";
import { durationWithin } from "./unit-schemas.ts";

const SECOND = 1_000;
const HOUR = 3_600_000;

/** The part of `mainstay.platform.yaml` about what is scraped. */
export const scrape = z.strictObject({
  file: z
    .string()
    .min(1, "expected the path of a file")
    .nullable()
    .default(null)
    .describe(
      "What else is scraped: a file with `scrape_configs` in the form of Prometheus, read again when it changes.",
    ),
  interval: durationWithin(SECOND, HOUR)
    .prefault("15s")
    .describe(
      "How often the figures are kept of the machine, the instances, PostgreSQL and Mainstay itself.",
    ),
});
