import { z } from "zod";
import { AppError } from "./errors.ts";
import { describeIssues, explain } from "./findings.ts";
import { freezeList } from "./freeze-file.ts";
import { gateList } from "./gates-file.ts";
import { hookList } from "./hooks-file.ts";
import { applyOverlay } from "./overlay.ts";
import { probeList, probeRate } from "./probes-file.ts";
import { serviceName } from "./service-name.ts";
import { BALANCES, BUILD, COMPATIBILITIES, isTask, METRICS, STRATEGIES, TASKS } from "./words.ts";
import { dependencyList } from "./dependencies.ts";
import { buildStep } from "./build-file.ts";
import { imageName } from "./image-name.ts";
import { cpuLimit, memoryLimit } from "./limits-file.ts";
import { duration, percentage } from "./unit-schemas.ts";
import { formatDuration } from "./units.ts";
import { variableName, variableValue } from "./variables.ts";
import { verifyList } from "./verify-file.ts";
import { readYaml } from "./yaml.ts";

/** `mainstay.yaml`: what stands beside a service's code. Every default is written here and nowhere else. */

function durationUpTo(limitMs: number) {
  return duration().refine((ms) => ms <= limitMs, `expected at most ${formatDuration(limitMs)}`);
}

const health = z.strictObject({
  path: z
    .string()
    .startsWith("/", 'expected a path that starts with "/"')
    .describe("Asked on 127.0.0.1; only the status 200 means healthy."),
  interval: duration().prefault("1s").describe("How often it is asked."),
  timeout: duration().prefault("2s").describe("How long an answer may take."),
  deadline: duration()
    .prefault("60s")
    .describe("How long a new instance may take until three answers in a row were healthy."),
});

const PORT_MESSAGE = 'expected "auto" or a port from 1024 to 65535';

const CONTAINER_PORT_MESSAGE = "expected a port from 1 to 65535";

const processType = z
  .strictObject({
    command: z
      .string()
      .min(1, "expected a command line")
      .optional()
      .describe(
        "Run by /bin/sh in the release's directory; the port is in PORT. With an image: by its /bin/sh, in place of what the image starts.",
      ),
    image: imageName
      .optional()
      .describe(
        "Run in a container of this image; a tag is resolved to its digest when the release is registered.",
      ),
    containerPort: z
      .int(CONTAINER_PORT_MESSAGE)
      .min(1, CONTAINER_PORT_MESSAGE)
      .max(65_535, CONTAINER_PORT_MESSAGE)
      .optional()
      .describe(
        "Where the process listens inside its container, and what PORT is there; 8080 when left out.",
      ),
    instances: z.int().min(1).max(100).default(1).describe("How many of them run."),
    port: z
      .union(
        [z.literal("auto"), z.int(PORT_MESSAGE).min(1024, PORT_MESSAGE).max(65_535, PORT_MESSAGE)],
        PORT_MESSAGE,
      )
      .optional()
      .describe(
        "Where the process listens; auto: Mainstay chooses. The process that has one gets the traffic.",
      ),
    health: health.optional().describe("Needed with a port. Without it a process counts as ready after 5 s."),
    metrics: z
      .strictObject({
        path: z
          .string()
          .startsWith("/", 'expected a path that starts with "/"')
          .describe("Where its figures are, in the text format of Prometheus or OpenMetrics."),
      })
      .optional()
      .describe("Figures that the process tells by itself: every instance is scraped on its own port."),
    stopTimeout: duration()
      .prefault("10s")
      .describe("Time between SIGTERM and SIGKILL, after its last request was answered."),
    singleton: z
      .boolean()
      .default(false)
      .describe(
        "Never runs twice: handed over at the cut-over, the old one stopped before the new one starts.",
      ),
  })
  .refine((value) => value.command !== undefined || value.image !== undefined, {
    path: ["command"],
    message: "is missing: expected a command line, or an image",
  })
  .refine(
    (value) => value.containerPort === undefined || (value.image !== undefined && value.port !== undefined),
    {
      path: ["containerPort"],
      message: "is the port inside of a container: it goes with image: and port: auto",
    },
  )
  .refine((value) => !value.singleton || (value.instances === 1 && value.port === undefined), {
    path: ["singleton"],
    message: "a singleton has one instance and no port: two releases of it never run beside each other",
  })
  .refine((value) => value.metrics === undefined || value.port !== undefined, {
    path: ["metrics"],
    message: "goes with a port: figures are asked for there",
  })
  .refine((value) => value.port === undefined || value.health !== undefined, {
    path: ["health"],
    message: "a process with a port needs health: { path: … }, otherwise nobody can tell whether it serves",
  });

const stage = z.strictObject({
  weight: percentage().describe("The candidate's share of the users; the last stage has 100%."),
  bake: duration().prefault("0s").describe("The least time the stage lasts."),
  gates: gateList
    .refine(
      (gates) => gates.every(({ compare }) => compare === undefined),
      "expected no compare here: the judge gathers its evidence over all stages, so it belongs to rollout.gates",
    )
    .default([])
    .describe("What must be well in this stage, beside rollout.gates."),
});

const DEFAULT_STAGES = [
  { weight: "10%", bake: "1h" },
  { weight: "25%", bake: "2h" },
  { weight: "50%", bake: "2h" },
  { weight: "100%" },
];

const judgeKeys = z.strictObject({
  metrics: z
    .array(z.enum(METRICS))
    .min(1)
    .default([...METRICS])
    .describe("What the arms are compared by."),
  alpha: z
    .number()
    .gt(0)
    .max(0.2)
    .default(0.01)
    .describe("The chance that a healthy release is undone, over the whole change."),
  onTooLittleEvidence: z
    .enum(["hold", "advance", "probe"])
    .default("hold")
    .describe(
      "What happens when a stage's time is over without a verdict; probe: the platform asks both releases itself.",
    ),
  probes: probeList.default([]).describe("What is asked, in turn; needed with onTooLittleEvidence: probe."),
  probeRate: probeRate.describe("Probes per second and release, 1 to 50."),
  warmup: duration()
    .prefault("20s")
    .describe("Latency is not judged for so long after the candidate's first request: caches are cold."),
});

const judge = judgeKeys.refine(
  ({ onTooLittleEvidence, probes }) => onTooLittleEvidence !== "probe" || probes.length > 0,
  { path: ["probes"], message: "onTooLittleEvidence: probe needs probes: [{ path: … }]" },
);

const limits = z.strictObject({
  errorRate: percentage()
    .refine((share) => share > 0 && share < 1, "expected more than 0% and less than 100%")
    .optional()
    .describe("An absolute ceiling on failed requests; acts while the stable release keeps it."),
  latencyP95: duration()
    .refine((ms) => ms > 0, "expected more than 0")
    .optional()
    .describe("An absolute ceiling on the 95th percentile of the latency; likewise."),
});

const rolling = z
  .strictObject({
    maxSurge: z.int().min(0).max(100).default(1).describe("So many instances more than wanted may run."),
    maxUnavailable: z.int().min(0).max(100).default(0).describe("So many fewer than wanted may serve."),
    bake: duration().prefault("30s").describe("The least time between two batches."),
  })
  .refine(
    (value) => value.maxSurge + value.maxUnavailable > 0,
    "maxSurge and maxUnavailable cannot both be 0",
  );

const rolloutKeys = z.strictObject({
  strategy: z
    .enum(STRATEGIES)
    .default("canary")
    .describe(
      "canary: in stages, judged. blue-green: verified, then all at once. rolling: instance by instance, judged. immediate: all at once after the gate.",
    ),
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
    .prefault(DEFAULT_STAGES)
    .describe("Rising shares of the users; of canary."),
  rolling: rolling.prefault({}).describe("How instances are replaced; of rolling."),
  judge: judge.prefault({}).describe("Who decides whether it goes on."),
  limits: limits.prefault({}).describe("Absolute ceilings."),
  gates: gateList
    .default([])
    .describe(
      "Metrics that must be well in every stage and while the old release is warm: docs/guides/gates.md.",
    ),
  keepWarm: duration()
    .prefault("10m")
    .describe("How long the old release runs on without traffic, so that undo is one weight write."),
  assignmentHeader: z
    .string()
    .regex(/^[A-Za-z0-9-]+$/, "expected the name of a header")
    .optional()
    .describe("A request header that names the user, for clients without cookies."),
});

const rollout = rolloutKeys.superRefine(({ gates, stages }, context) => {
  const names = [...gates, ...stages.flatMap((each) => each.gates)].map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice === undefined) return;
  context.addIssue({
    code: "custom",
    path: ["gates"],
    message: `expected each name once; ${twice} is there twice`,
  });
});

const releaseCommand = z.strictObject({
  command: z
    .string()
    .min(1, "expected a command line")
    .describe("Run once before the release gets traffic, in its directory and with its variables."),
  timeout: duration()
    .prefault("5m")
    .refine((ms) => ms > 0, "expected more than 0")
    .describe("It is ended after this time, and the change undone."),
  compatibility: z
    .enum(COMPATIBILITIES)
    .describe(
      "expand: the release before runs on the schema this leaves behind; that is tried. contract: it does not, so there is no way back. none: the schema stays as it is.",
    ),
});

const resources = z.strictObject({
  memory: memoryLimit()
    .optional()
    .describe("What each instance may use; one that exceeds it is killed and started again."),
  cpu: cpuLimit().optional().describe("How many cores each instance may use; 0.5 is half of one."),
});

const connections = z.strictObject({
  balance: z
    .enum(BALANCES)
    .default("round-robin")
    .describe("How the next instance is chosen: in turn, or the one with the fewest requests."),
  weights: z
    .array(z.int().min(1).max(100))
    .max(100)
    .default([])
    .describe("Of the instances in their order, such as [3, 1]; those beyond the list weigh 1."),
  drain: durationUpTo(24 * 3_600_000)
    .prefault("5m")
    .describe("How long WebSockets and event streams go on once their instance is being replaced."),
  hold: durationUpTo(60_000)
    .prefault("5s")
    .describe("How long requests wait while no instance can be reached, as when the only one restarts."),
});

const HOST = /^(?:\*\.)?[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?$|^\[[0-9a-f:.]+\]$/i;

const route = z.strictObject({
  host: z
    .string()
    .regex(HOST, "expected a host without port, such as shop.example.com or *.example.com")
    .optional()
    .describe("The Host it answers to, or *. and the end of it; any when left out. The closest match wins."),
  path: z.string().startsWith("/").default("/").describe("The start of the path; the longest match wins."),
});

const headers = z.strictObject({
  security: z
    .boolean()
    .default(false)
    .describe(
      "Adds X-Content-Type-Options, Referrer-Policy and X-Frame-Options where the service sent none itself.",
    ),
});

export const serviceFile = z.strictObject({
  service: serviceName.describe("The name it goes by everywhere."),
  environment: serviceName.default("production").describe("One service may run in several."),
  processes: z
    .record(serviceName, processType)
    .refine((processes) => Object.keys(processes).length > 0, "expected at least one process")
    .refine(
      (processes) => !Object.keys(processes).some((name) => isTask(name) || name === BUILD),
      `no process may be called ${[BUILD, ...TASKS].join(", ")}; what runs once stands beside processes`,
    )
    .refine(
      (processes) => Object.values(processes).filter((each) => each.port !== undefined).length <= 1,
      "at most one process may have a port: it is the one the proxy sends traffic to",
    )
    .describe("What runs, by name; all of one release change together."),
  release: releaseCommand.optional().describe("What runs once before the release gets traffic: migrations."),
  hooks: hookList.default([]).describe("What runs around the states of a change; see docs/guides/hooks.md."),
  build: buildStep
    .optional()
    .describe("What makes the release of the files that are deployed; the same in every environment."),
  dependsOn: dependencyList
    .default([])
    .describe("Services of the same environment that must serve before this one is brought in."),
  env: z.record(variableName, variableValue).default({}).describe("Variables of every process."),
  secrets: z
    .array(variableName)
    .default([])
    .describe("Variables whose values are kept sealed: mainstay secrets set."),
  resources: resources.prefault({}).describe("Limits of every instance, enforced by control groups."),
  routes: z.array(route).min(1).prefault([{}]).describe("Which requests are this service's."),
  connections: connections.prefault({}).describe("How requests reach the instances."),
  compression: z
    .boolean()
    .default(true)
    .describe("Compresses text that the service itself did not, for clients that take it."),
  headers: headers.prefault({}).describe("Headers added to its answers."),
  verify: verifyList
    .default([])
    .describe("Endpoints that must answer: before all traffic (blue-green), else once the candidate has it."),
  freeze: freezeList
    .default([])
    .describe("When nothing new is brought in, beside the platform's own windows."),
  rollout: rollout.prefault({}).describe("How a new release takes over."),
  environments: z
    .record(serviceName, z.record(z.string(), z.unknown()).nullable())
    .optional()
    .describe("What differs in an environment, by its name: merged over the rest of the file."),
});

/**
 * A service file after parsing: durations in ms, sizes in bytes, percentages as shares, defaults filled in.
 */
export type ServiceFile = z.output<typeof serviceFile>;

/** What a `mainstay.yaml` says in an environment, whatever form it has. */
export function readServiceData(text: string, file: string, environment?: string): unknown {
  return applyOverlay(readYaml(text, file), { file, environment });
}

/**
 * Text of a `mainstay.yaml` → its meaning in an environment.
 * Throws CONFIG_INVALID that names every wrong path of the file.
 */
export function parseServiceFile(text: string, file: string, environment?: string): ServiceFile {
  const data = readServiceData(text, file, environment);
  const parsed = serviceFile.safeParse(data, { error: explain });
  if (parsed.success) return parsed.data;
  throw new AppError("CONFIG_INVALID", { file }, { errors: describeIssues(parsed.error, serviceFile) });
}
