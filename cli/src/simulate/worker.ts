import { parentPort } from "node:worker_threads";
import { runOnce, type Situation } from "./scenario.ts";
import type { Regression } from "@mainstay/evidence/simulation";

/** One run to be made; the answer is its outcome. */
export interface Errand {
  situation: Situation;
  regression: Regression;
  seed: number;
}

parentPort?.on("message", ({ situation, regression, seed }: Errand) =>
  parentPort?.postMessage(runOnce(situation, regression, seed)),
);
