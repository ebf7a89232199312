import { readFile } from "node:fs/promises";
import { formatShare, parseServiceFile, parseShare, type ServiceFile } from "@mainstay/api";
import { InvalidArgumentError, type Command } from "commander";
import { CliError, EXIT } from "../cli-error.ts";
import { show, type Context } from "../context.ts";
import { countOption, durationOption } from "../options.ts";
import { runScenarios } from "../simulate/run-scenarios.ts";
import type { Situation, Summary } from "../simulate/scenario.ts";
import { simulationWords } from "../simulate/simulation-words.ts";
import type { WithContext } from "./deploy.ts";

/** Busier traffic only makes the judge surer, and takes longer to simulate. */
const RATE_MAX = 100;
const DEFAULT_RUNS = 200;
/** A run that has begun is finished, which takes seconds: all of it is to end within 30. */
const BUDGET_MS = 20_000;

interface SimulateOptions {
  rps: number;
  errorRate: number;
  latency: number;
  file?: string;
  runs?: number;
}

/** `mainstay simulate`: what would the judge do with this traffic and these stages? Needs no server. */
export function addSimulate(program: Command, withContext: WithContext): void {
  program
    .command("simulate")
    .description("What the judge would do with your traffic and your stages: notice, hold, undo in error")
    .option("--rps <number>", "requests per second of the service", rateOption, 5)
    .option("--error-rate <percentage>", "how many fail when all is well", shareOption, 0.005)
    .option("--latency <duration>", "how long the median one takes", durationOption, 100)
    .option(
      "--file <path>",
      "the service file with the stages (default: mainstay.yaml here, else the defaults)",
    )
    .option(
      "--runs <count>",
      `how often each case is run, however long it takes (default: ${DEFAULT_RUNS} within 30 s)`,
      countOption,
    )
    .addHelpText(
      "after",
      "\nExamples:\n  mainstay simulate --rps 5\n  mainstay simulate --rps 50 --error-rate 0.1% --file shop/mainstay.yaml --json",
    )
    .action((options: SimulateOptions) => withContext((context) => simulate(context, options)));
}

async function simulate(context: Context, options: SimulateOptions): Promise<void> {
  const file = await readRollout(options.file);
  const situation = situationOf(file, options);
  const summaries = await runScenarios(situation, {
    runs: options.runs ?? DEFAULT_RUNS,
    budgetMs: options.runs === undefined ? BUDGET_MS : null,
    nowMs: context.nowMs,
    onProgress: (scenario, done) => context.status(`simulating ${scenario}: ${done} runs`),
  });
  context.status("");
  const notes = notesOn(file, situation, { summaries, options });
  show(context, { situation, summaries, notes }, () => simulationWords(situation, summaries, notes));
}

/** The stages up to 100 %, where there is nothing left to compare with. */
function situationOf({ rollout }: ServiceFile, { rps, errorRate, latency }: SimulateOptions): Situation {
  const { metrics, alpha, warmup, onTooLittleEvidence } = rollout.judge;
  const stages = rollout.stages.filter((each) => each.weight < 1);
  if (rollout.strategy !== "canary" || stages.length === 0) {
    const remedy = "Only rollout.strategy canary with stages below 100% compares two releases.";
    throw new CliError("this rollout has no stage in which anything is judged", EXIT.failed, remedy);
  }
  return {
    ratePerSecond: Math.min(rps, RATE_MAX),
    errorShare: errorRate,
    medianLatencyMs: latency,
    stages: stages.map(({ weight, bake: bakeMs }) => ({ weight, bakeMs })),
    judge: { metrics, alpha, warmupMs: warmup },
    policy: onTooLittleEvidence === "advance" ? "advance" : "hold",
  };
}

async function readRollout(file: string | undefined): Promise<ServiceFile> {
  const text = await readFile(file ?? "mainstay.yaml", "utf8").catch((error: NodeJS.ErrnoException) => {
    if (file === undefined && error.code === "ENOENT")
      return "service: any\nprocesses: { any: { command: any } }";
    throw new CliError(`${file} cannot be read: ${error.code}`, EXIT.usage);
  });
  return parseServiceFile(text, file ?? "mainstay.yaml");
}

interface Results {
  summaries: readonly Summary[];
  options: SimulateOptions;
}

function notesOn({ rollout }: ServiceFile, situation: Situation, { summaries, options }: Results): string[] {
  const { alpha, onTooLittleEvidence } = rollout.judge;
  const healthy = summaries[0];
  const wrongly = Math.round((healthy?.undone ?? 0) * (healthy?.runs ?? 0));
  const isCut = options.runs === undefined && summaries.some((each) => each.runs < DEFAULT_RUNS);
  const hasLimits = rollout.limits.errorRate !== undefined || rollout.limits.latencyP95 !== undefined;
  return [
    `Healthy releases undone: ${wrongly} of ${healthy?.runs}; the judge promises at most ${formatShare(alpha)}.`,
    `Too little evidence at the end of a stage: ${onTooLittleEvidence} (rollout.judge.onTooLittleEvidence).`,
    "Every request comes from somebody new here; users who send many make the judge slower, not wrong.",
    ...(options.rps > situation.ratePerSecond
      ? [`Simulated with ${RATE_MAX} requests/s: with ${options.rps} the judge is surer and faster.`]
      : []),
    ...(isCut ? ["Fewer runs than planned fit into the time; --runs takes as long as it needs."] : []),
    ...(hasLimits ? ["rollout.limits act besides; they are not simulated."] : []),
  ];
}

function rateOption(text: string): number {
  const rate = Number(text);
  if (!(rate > 0 && rate <= 1e6))
    throw new InvalidArgumentError("Expected requests per second, such as 5 or 0.5.");
  return rate;
}

function shareOption(text: string): number {
  const share = parseShare(text);
  if (share === null || share >= 0.5)
    throw new InvalidArgumentError('Expected a percentage below 50%, such as "0.5%".');
  return share;
}
