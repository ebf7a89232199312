import { z } from "zod";
import { cpuLimit, memoryLimit } from "./limits-file.ts";
import { duration } from "./unit-schemas.ts";
import { formatDuration } from "./units.ts";
import { variableName, variableValue } from "./variables.ts";

const LONGEST_MS = 6 * 3_600_000;

/** `build` of mainstay.yaml: the command that makes a release of the files that are deployed. */
export const buildStep = z.strictObject({
  command: z
    .string()
    .min(1, "expected a command line")
    .describe("Run once by /bin/sh in a copy of the files; what it leaves there becomes the release."),
  timeout: duration()
    .prefault("10m")
    .refine((ms) => ms > 0 && ms <= LONGEST_MS, `expected at most ${formatDuration(LONGEST_MS)}`)
    .describe("It is ended after this time, and nothing is registered."),
  memory: memoryLimit()
    .prefault("1GiB")
    .describe("What it may use together with everything it starts; what exceeds it is killed."),
  cpu: cpuLimit().default(1).describe("How many cores it may use; 0.5 is half of one."),
  env: z
    .record(variableName, variableValue)
    .default({})
    .describe("Its variables, beside PATH and a HOME of its own; env and secrets of the service are not."),
});
export type BuildStep = z.output<typeof buildStep>;
