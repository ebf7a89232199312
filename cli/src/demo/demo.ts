import type { PlatformResource } from "@mainstay/api";
import type { Command } from "commander";
import { setTimeout as delay } from "node:timers/promises";
import { CliError, EXIT } from "../cli-error.ts";
import { show, type Context } from "../context.ts";
import { countOption } from "../options.ts";
import { table } from "../output/table.ts";
import { checkAudit, type DemoAudit } from "./audit-check.ts";
import type { LoadSummary } from "./load/load-lines.ts";
import { startLoad } from "./load-process.ts";
import { askMetrics, metricsFaults, metricsWords, type DemoMetrics } from "./metrics-check.ts";
import { installPayload } from "./payload.ts";
import { DEPLOYER } from "./people.ts";
import { startPlatform, type DemoPlatform } from "./platform.ts";
import { ACTS, FIRST, play, type ActResult } from "./scenario.ts";

/** Traffic before the first change under load, so that the stable release is known. */
const SETTLE_MS = 3000;

interface DemoOptions {
  rps: number;
  stay: boolean;
}

interface DemoReport {
  passed: boolean;
  faults: string[];
  acts: ActResult[];
  load: LoadSummary;
  lostByPlatform: { reportedByClients: number; reportedByPlatform: Record<string, number> };
  audit: DemoAudit;
  metrics: DemoMetrics;
  readyAfterMs: number;
}

/** `mainstay demo`: a real application, real load, a good release, bad releases, a killed server. */
export function addDemo(
  program: Command,
  withOwnContext: (run: (context: Context) => Promise<void>) => Promise<void>,
): void {
  program
    .command("demo")
    .description("Watch Mainstay ship a real application under load, notice bad releases and undo them")
    .option("--rps <count>", "requests per second", countOption, 200)
    .option("--stay", "leave everything running afterwards", false)
    .addHelpText(
      "after",
      "\nNeeds no running platform: it starts its own, on a directory of its own, and takes it away again.",
    )
    .action((options: DemoOptions) => withOwnContext((context) => demo(context, options)));
}

async function demo(context: Context, options: DemoOptions): Promise<void> {
  const say = context.isJson ? { ...context, print: () => {}, status: () => {} } : context;
  await installPayload(say.print);
  say.print("starting a platform of the demo's own …");
  const platform = await startPlatform();
  say.print(
    `ready after ${(platform.readyAfterMs / 1000).toFixed(1)} s: API ${platform.url}, traffic ${platform.dataPlaneUrl}`,
  );
  const interrupted = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => interrupted.abort());
  try {
    const report = await Promise.race([perform(say, platform, options), rejectOn(interrupted.signal)]);
    show(context, report, () => words(context, report));
    if (!report.passed) throw new CliError(`not as told: ${report.faults.join("; ")}`, EXIT.failed);
    if (options.stay) await stay(say, platform, interrupted.signal);
  } finally {
    say.print("stopping …");
    await platform.stop();
    await platform.removeData();
  }
}

async function perform(context: Context, platform: DemoPlatform, options: DemoOptions): Promise<DemoReport> {
  const startedAtMs = context.nowMs();
  const acts = [await play(context, platform, FIRST)];
  context.print(
    `\n▶ load: ${options.rps} requests per second, 1,000 users with a cookie and 20 % of the requests without`,
  );
  const load = await startLoad({ url: platform.dataPlaneUrl, mix: "registry", rps: options.rps });
  try {
    await delay(SETTLE_MS);
    for (const act of ACTS) acts.push(await play(context, platform, act));
  } finally {
    await load.stop();
  }
  const summary = await load.stop();
  const { lost } = await platform.api.get<PlatformResource>("/platform");
  const lostByPlatform = { reportedByClients: summary.lost, reportedByPlatform: lost };
  const audit = await checkAudit(platform.api, DEPLOYER);
  const ofPlatform = { ...context, api: platform.api };
  const metrics = await askMetrics(ofPlatform, { startedAtMs, sent: summary.sent });
  const faults = [
    ...[...faultsOf(acts, summary, lost), ...auditFaults(audit, acts)],
    ...metricsFaults(metrics, acts, summary.sent),
  ];
  return {
    passed: faults.length === 0,
    faults,
    acts,
    load: summary,
    lostByPlatform,
    audit,
    metrics,
    readyAfterMs: platform.readyAfterMs,
  };
}

/** Everything that did not go as it was told. */
function faultsOf(acts: ActResult[], load: LoadSummary, lost: Record<string, number>): string[] {
  const surprises = acts
    .filter((act) => act.ended !== act.expected)
    .map((act) => `${act.title} ended as ${act.ended}`);
  const unexpected = acts
    .filter((act) => act.ended === "undone" && act.by !== act.undoneBy)
    .map((act) => `${act.title} was undone by ${act.by}`);
  const counted = Object.values(lost).reduce((total, count) => total + count, 0);
  return [
    ...surprises,
    ...unexpected,
    ...(load.lost > 0 ? [`${load.lost} requests were lost (${JSON.stringify(load.lostReasons)})`] : []),
    ...(counted > 0 ? [`the platform counted ${counted} lost requests (${JSON.stringify(lost)})`] : []),
    ...(load.refused > 0 ? [`${load.refused} requests were refused`] : []),
  ];
}

/** Whoever asked for the changes stands in a log that is whole. */
function auditFaults({ isWhole, findings, changesByDeployer }: DemoAudit, acts: ActResult[]): string[] {
  if (!isWhole) return [`the audit log is not what was signed: ${findings.join(", ")}`];
  if (changesByDeployer === acts.length) return [];
  return [
    `${changesByDeployer} of ${acts.length} changes stand in the audit log as asked for by ${DEPLOYER}`,
  ];
}

function words(context: Context, report: DemoReport): string {
  const seconds = (value: number | null) => (value === null ? "–" : `${value.toFixed(1)} s`);
  const rows = report.acts.map((act) => [
    act.title.split(" (")[0] ?? act.title,
    act.ended === act.expected ? act.ended : `${act.ended}, expected ${act.expected}`,
    act.by,
    seconds(act.verdictAfterSeconds),
    seconds(act.restoredAfterSeconds),
    seconds(act.tookSeconds),
  ]);
  const { load, audit } = report;
  return [
    "",
    table(["CHANGE", "ENDED", "DECIDED BY", "TO VERDICT", "TO WEIGHTS RESTORED", "IN ALL"], rows),
    "",
    metricsWords(context, report.metrics),
    "",
    table(
      ["REQUESTS", "ANSWERED", "FAILED BY A BAD RELEASE", "LOST BY THE PLATFORM", "P50", "P95"],
      [[load.sent, load.ok, load.applicationErrors, load.lost, ms(load.p50Ms), ms(load.p95Ms)].map(String)],
    ),
    "",
    `The audit log: ${audit.entries} signed entries, ${audit.isWhole ? "all of them verified" : "NOT WHOLE"}; ${audit.changesByDeployer} changes asked for by ${DEPLOYER}, who was logged in.`,
    "Verdict and weights are counted from the first request that reached the candidate.",
    report.passed ? "Everything went as told." : `NOT AS TOLD: ${report.faults.join("; ")}`,
  ].join("\n");
}

function ms(value: number | null): string {
  return value === null ? "–" : `${value.toFixed(0)} ms`;
}

async function stay(context: Context, platform: DemoPlatform, interrupted: AbortSignal): Promise<void> {
  context.print(
    [
      "",
      "Left running until Ctrl-C:",
      `  traffic  ${platform.dataPlaneUrl}`,
      `  API      ${platform.url}/api/v1/openapi.json`,
      `  CLI      MAINSTAY_URL=${platform.url} MAINSTAY_TOKEN=${platform.tokens.deployer} npx mainstay status`,
      `  data     ${platform.dataDirectory}`,
    ].join("\n"),
  );
  await new Promise((resolve) => interrupted.addEventListener("abort", resolve));
}

function rejectOn(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener("abort", () => reject(new CliError("interrupted", EXIT.failed)), { once: true });
  });
}
