import { z } from "zod";
import { AppError } from "./errors.ts";
import { describeIssues, explain } from "./findings.ts";
import { METRICS, STRATEGIES, serviceName } from "./words.ts";
import { duration, percentage, size } from "./units.ts";
import { readYaml } from "./yaml.ts";

/** `mainstay.yaml`: what stands beside a service's code. Every default is written here and nowhere else. */

const health = z.strictObject({
  path: z.string().startsWith("/", 'expected a path that starts with "/"'),
  interval: duration().prefault("1s"),
  timeout: duration().prefault("2s"),
  /** How long a new instance may take until its gate (3 × 200) has passed. */
  deadline: duration().prefault("60s"),
});

const PORT_MESSAGE = 'expected "auto" or a port from 1024 to 65535';

const processType = z
  .strictObject({
    command: z.string().min(1, "expected a command line"),
    instances: z.int().min(1).max(100).default(1),
    port: z
      .union(
        [z.literal("auto"), z.int(PORT_MESSAGE).min(1024, PORT_MESSAGE).max(65_535, PORT_MESSAGE)],
        PORT_MESSAGE,
      )
      .optional(),
    health: health.optional(),
    stopTimeout: duration().prefault("10s"),
  })
  .refine((value) => value.port === undefined || value.health !== undefined, {
    path: ["health"],
    message: "a process with a port needs health: { path: … }, otherwise nobody can tell whether it serves",
  });

const stage = z.strictObject({ weight: percentage(), bake: duration().prefault("0s") });

const DEFAULT_STAGES = [
  { weight: "10%", bake: "1h" },
  { weight: "25%", bake: "2h" },
  { weight: "50%", bake: "2h" },
  { weight: "100%" },
];

const judge = z.strictObject({
  metrics: z
    .array(z.enum(METRICS))
    .min(1)
    .default([...METRICS]),
  alpha: z.number().gt(0).max(0.2).default(0.01),
  onTooLittleEvidence: z.enum(["hold", "advance"]).default("hold"),
  /** Latency of a candidate with cold caches is not judged for this long after its first request. */
  warmup: duration().prefault("20s"),
});

const limits = z.strictObject({ errorRate: percentage().optional(), latencyP95: duration().optional() });

const rollout = z.strictObject({
  strategy: z.enum(STRATEGIES).default("canary"),
  stages: z
    .array(stage)
    .min(1)
    .max(20)
    .refine((stages) => stages.at(-1)?.weight === 1, "the last stage must have weight 100%")
    .refine(
      (stages) =>
        stages.every((each, index) => index === 0 || each.weight > (stages[index - 1]?.weight ?? 0)),
      "weights must rise from stage to stage",
    )
    .prefault(DEFAULT_STAGES),
  judge: judge.prefault({}),
  limits: limits.prefault({}),
  keepWarm: duration().prefault("10m"),
  /** A request header that carries the user's id for clients without cookies. */
  assignmentHeader: z
    .string()
    .regex(/^[A-Za-z0-9-]+$/)
    .optional(),
});

const variableName = z
  .string()
  .regex(
    /^[A-Za-z_][A-Za-z0-9_]*$/,
    "expected the name of an environment variable: letters, digits and underscores",
  );
/** YAML reads 3000 and true as a number and a truth value; the process gets them as text. */
const variableValue = z
  .union([z.string(), z.number(), z.boolean()], "expected text, a number, true or false")
  .transform(String);

export const serviceFile = z.strictObject({
  service: serviceName,
  environment: serviceName.default("production"),
  processes: z
    .record(serviceName, processType)
    .refine((processes) => Object.keys(processes).length > 0, "expected at least one process")
    .refine(
      (processes) => Object.values(processes).filter((each) => each.port !== undefined).length <= 1,
      "at most one process may have a port: it is the one the proxy sends traffic to",
    ),
  env: z.record(variableName, variableValue).default({}),
  secrets: z.array(variableName).default([]),
  routes: z
    .array(
      z.strictObject({ host: z.string().min(1).optional(), path: z.string().startsWith("/").default("/") }),
    )
    .min(1)
    .prefault([{}]),
  resources: z
    .strictObject({ memory: size().optional(), cpu: z.number().positive().optional() })
    .prefault({}),
  rollout: rollout.prefault({}),
});

/**
 * A service file after parsing: durations in ms, sizes in bytes, percentages as shares, defaults filled in.
 */
export type ServiceFile = z.output<typeof serviceFile>;

/** Text of a `mainstay.yaml` → its meaning. Throws CONFIG_INVALID that names every wrong path of the file. */
export function parseServiceFile(text: string, file: string): ServiceFile {
  const parsed = serviceFile.safeParse(readYaml(text, file), { error: explain });
  if (parsed.success) return parsed.data;
  throw new AppError("CONFIG_INVALID", { file }, { errors: describeIssues(parsed.error, serviceFile) });
}
