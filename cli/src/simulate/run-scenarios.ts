import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import type { Outcome } from "@mainstay/evidence/simulation";
import { SCENARIOS, summarize, type Scenario, type Situation, type Summary } from "./scenario.ts";
import type { Errand } from "./worker.ts";

const SEED = 20_261_101;
/** Far enough apart that no two runs share a seed. */
const SEED_STEP = 7_919;

export interface Effort {
  /** How often each scenario is run, if there is time. */
  runs: number;
  /** For all of them together; null: as long as it takes. A run that has begun is finished. */
  budgetMs: number | null;
  nowMs(): number;
  onProgress(scenario: string, done: number): void;
}

/** Every scenario on all processors; the slow one comes last and gets the time that the others left. */
export async function runScenarios(situation: Situation, effort: Effort): Promise<Summary[]> {
  const workers = Array.from(
    { length: Math.max(2, availableParallelism()) },
    () => new Worker(new URL("./worker.ts", import.meta.url)),
  );
  const endMs = effort.budgetMs === null ? Infinity : effort.nowMs() + effort.budgetMs;
  const summaries = new Map<string, Summary>();
  try {
    const waiting = SCENARIOS.toReversed();
    for (const [index, scenario] of waiting.entries()) {
      const leftMs = (endMs - effort.nowMs()) / (waiting.length - index);
      const outcomes = await runMany({
        situation,
        scenario,
        workers,
        effort,
        untilMs: effort.nowMs() + leftMs,
      });
      summaries.set(scenario.name, summarize(scenario.name, outcomes, situation.stages.length));
    }
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
  return SCENARIOS.flatMap(({ name }) => summaries.get(name) ?? []);
}

interface Batch {
  situation: Situation;
  scenario: Scenario;
  workers: Worker[];
  effort: Effort;
  untilMs: number;
}

/** By seed, so that the same runs give the same summary in whatever order they end. */
async function runMany({ situation, scenario, workers, effort, untilMs }: Batch): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  let next = 0;
  async function work(worker: Worker): Promise<void> {
    while (next < effort.runs && (next === 0 || effort.nowMs() < untilMs)) {
      const run = next++;
      const errand = { situation, regression: scenario.regression, seed: SEED + run * SEED_STEP };
      outcomes[run] = await ask(worker, errand);
      effort.onProgress(scenario.name, outcomes.filter(Boolean).length);
    }
  }
  await Promise.all(workers.map(work));
  return outcomes;
}

function ask(worker: Worker, errand: Errand): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    worker.once("error", reject);
    worker.once("message", (outcome: Outcome) => {
      worker.off("error", reject);
      resolve(outcome);
    });
    worker.postMessage(errand);
  });
}
