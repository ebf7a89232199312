import type { AgentClient } from "@mainstay/agent";
import type { ObservedInstance } from "@mainstay/api";
import type { BuildRow, Builds } from "../../core/builds/index.ts";
import type { LongRunning } from "../../kernel/actors.ts";
import type { Clock } from "../../kernel/clock.ts";
import type { Log } from "../../kernel/log.ts";
import { maskSecrets } from "../../kernel/redact.ts";
import { createWake } from "../../kernel/wake.ts";
import type { AgentLink } from "./agent-link.ts";
import { endOf, isOver } from "./task-end.ts";
import { readLines } from "./task-output.ts";

/** When nothing is heard of the agent. */
const LOOK_MS = 2000;

export interface BuildKeeperDependencies {
  builds: Builds;
  link: AgentLink;
  agent: Pick<AgentClient, "logs">;
  clock: Clock;
  log: Log;
}

/** Has builds run by the agent in their turn, and makes releases of what they leave. */
export interface BuildKeeper extends LongRunning {
  /** Looks at once instead of soon. */
  wake(): void;
  outputOf(row: Pick<BuildRow, "id">): Promise<string>;
}

export function createBuildKeeper({ builds, link, agent, clock, log }: BuildKeeperDependencies): BuildKeeper {
  const stopping = new AbortController();
  const wake = createWake(clock);
  let orphans: BuildRow[] = [];
  let keeping: Promise<void> = Promise.resolve();
  let endListening = (): void => {};
  const outputOf = ({ id }: Pick<BuildRow, "id">) => readLines(agent, id, maskSecrets);

  async function keep(): Promise<void> {
    while (!stopping.signal.aborted) {
      await look().catch((error: unknown) => log.error({ error }, "builds could not be looked after"));
      await wake.sleep(LOOK_MS, stopping.signal);
    }
  }

  async function look(): Promise<void> {
    const hasEnded = (await endOrphans()) || (await endOver());
    if ((await builds.beginDue()) || hasEnded) await link.sync();
    await sweep();
  }

  /** Whoever asked for these was cut off with the server, and nobody watched them since. */
  async function endOrphans(): Promise<boolean> {
    const hadAny = orphans.length > 0;
    for (const row of orphans) {
      const reason = "the server was restarted while it was under way";
      await builds.fail(row, { state: "failed", exitCode: null, reason, output: await outputOf(row) });
    }
    orphans = [];
    return hadAny;
  }

  async function endOver(): Promise<boolean> {
    const seen = new Map((link.observed()?.instances ?? []).map((each) => [each.id, each]));
    let hasEnded = false;
    for (const row of await builds.running()) {
      const observed = seen.get(row.id);
      if (!observed || !isOver(observed)) continue;
      await finish(row, observed);
      hasEnded = true;
    }
    return hasEnded;
  }

  async function finish(row: BuildRow, observed: ObservedInstance): Promise<void> {
    const output = await outputOf(row);
    const { state, exitCode, reason } = endOf(observed, { timeoutMs: row.step.timeout });
    if (state === "succeeded") return builds.succeed(row, output);
    await builds.fail(row, { state: "failed", exitCode, reason: reason ?? "it failed", output });
  }

  /** Only what the agent says now tells that nothing writes to a directory any more. */
  async function sweep(): Promise<void> {
    const observed = link.observed();
    if (!observed || !link.isCurrent()) return;
    const running = new Set(observed.instances.map((each) => each.id));
    await builds.sweep((id) => running.has(id));
  }

  return {
    name: "builds",
    wake: wake.ring,
    outputOf,
    async start() {
      orphans = await builds.unfinished();
      endListening = link.onNews(wake.ring);
      keeping = keep();
    },
    async stop() {
      endListening();
      stopping.abort();
      wake.ring();
      await keeping;
    },
  };
}
