import { ARMS, GROUPS, type Arm, type Probe } from "@mainstay/api";
import type { ArmTally, Block, ChangeView, ProbePlan, Signal } from "../../core/changes/index.ts";
import type { Services } from "../../core/services/index.ts";
import type { LongRunning } from "../../kernel/actors.ts";
import type { Clock } from "../../kernel/clock.ts";
import type { Metrics } from "../../kernel/metrics.ts";
import type { AgentLink } from "../instances/index.ts";
import { ask } from "./ask.ts";
import { hostOf, targetsOf, type Target } from "./targets.ts";

const ROUND_MS = 1000;
const TIMEOUT_MS = 5000;
/** The judge asks every second while a change is compared; when it stops asking, nothing is sent any more. */
const INTEREST_MS = 5000;
/** The judge asks every second; more is kept only for one that was held up. */
const KEPT_BLOCKS = 60;

/** A change whose arms are probed. */
interface Interest {
  change: ChangeView;
  plan: ProbePlan;
  askedAtMs: number;
  host: string | null;
  blocks: Block[];
  /** Counts probes: chooses path, instance and group in turn, the same for both arms. */
  sent: number;
}

export interface ProberDependencies {
  services: Pick<Services, "release">;
  link: Pick<AgentLink, "observed">;
  clock: Clock;
  metrics: Pick<Metrics, "counter">;
}

/** Sends the same probes to both arms of whatever change asks for them, and counts what came of it. */
export interface Prober extends LongRunning {
  counts(question: { change: ChangeView; plan: ProbePlan; sinceMs: number }): Promise<Block[]>;
}

export function createProber({ services, link, clock, metrics }: ProberDependencies): Prober {
  const interests = new Map<string, Interest>();
  const counter = metrics.counter({
    name: "mainstay_probing_requests_total",
    help: "Probes the platform sent to compare a candidate with the stable release; no user's request.",
    labels: ["service", "environment", "arm", "outcome"],
  });
  let stopTimer = () => {};

  async function round(): Promise<void> {
    for (const [id, each] of interests) {
      if (clock.monotonicMs() - each.askedAtMs > INTEREST_MS) interests.delete(id);
    }
    await Promise.all([...interests.values()].map(probeOnce));
  }

  /** One second's worth, evenly spread. Nothing is sent while either arm has nobody to ask. */
  async function probeOnce(interest: Interest): Promise<void> {
    const { change, plan } = interest;
    const observed = link.observed()?.instances ?? [];
    const targets = {
      candidate: targetsOf(change.candidate, observed),
      stable: targetsOf(change.stable ?? "", observed),
    };
    if (targets.candidate.length === 0 || targets.stable.length === 0) return;
    const fromMs = clock.now().getTime();
    const tallies = { candidate: emptyTally(), stable: emptyTally() };
    const pending: Promise<void>[] = [];
    for (let count = 0; count < plan.ratePerSecond; count++) {
      const turn = interest.sent++;
      for (const arm of ARMS)
        pending.push(send(interest, { arm, turn, targets: targets[arm], tally: tallies[arm] }));
      await clock.sleep(ROUND_MS / plan.ratePerSecond);
    }
    await Promise.all(pending);
    interest.blocks.push({ fromMs, atMs: clock.now().getTime(), ...tallies });
    if (interest.blocks.length > KEPT_BLOCKS) interest.blocks.shift();
  }

  async function send({ change, plan, host }: Interest, one: Sending): Promise<void> {
    const { arm, turn, targets, tally } = one;
    const probe = plan.list[turn % plan.list.length];
    const target = targets[turn % targets.length];
    if (!probe || !target) return;
    const isWell = await isAnswered(probe, { target, host, mark: change.id });
    // Each path meets every group: one that fails is not to look like a few users with bad luck.
    const group = Math.floor(turn / plan.list.length) % GROUPS;
    tally.total[group] = (tally.total[group] ?? 0) + 1;
    if (!isWell) tally.bad[group] = (tally.bad[group] ?? 0) + 1;
    const { service, environment } = change;
    counter.add({ service, environment, arm, outcome: isWell ? "well" : "bad" });
  }

  return {
    name: "prober",
    async counts({ change, plan, sinceMs }) {
      const known = interests.get(change.id);
      const host = known ? known.host : hostOf(await services.release(change.candidate));
      const interest = known ?? { host, blocks: [], sent: 0, change, plan, askedAtMs: 0 };
      Object.assign(interest, { change, plan, askedAtMs: clock.monotonicMs() });
      interests.set(change.id, interest);
      return interest.blocks.filter((block) => block.atMs > sinceMs);
    },
    async start() {
      stopTimer = clock.every(ROUND_MS, round);
    },
    async stop() {
      stopTimer();
    },
  };
}

interface Sending {
  arm: Arm;
  turn: number;
  targets: readonly Target[];
  tally: ArmTally;
}

async function isAnswered(
  { path, method, expect }: Probe,
  { target, host, mark }: { target: Target; host: string | null; mark: string },
): Promise<boolean> {
  const answer = await ask({ port: target.port, path, method, host, mark, timeoutMs: TIMEOUT_MS });
  return "status" in answer && answer.status === expect;
}

function emptyTally(): ArmTally {
  const zeros = () => Array.from({ length: GROUPS }, () => 0);
  return { total: zeros(), bad: zeros() };
}

/** A signal that answers for probes, too. */
export function withProbes(signal: Signal, prober: Prober): Signal {
  return {
    onNews: signal.onNews,
    counts(question) {
      const { change, metric, sinceMs } = question;
      return metric.name === "probes"
        ? prober.counts({ change, plan: metric.probes, sinceMs })
        : signal.counts(question);
    },
  };
}
