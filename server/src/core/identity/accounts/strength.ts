import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { z } from "zod";
import { STRENGTH_MIN } from "../domain/password-rules.ts";

/** What is wrong with a password; null when nothing is. */
export type PasswordCheck = (password: string, hints: readonly string[]) => Promise<string | null>;

const WORKER = new URL("./strength-worker.ts", import.meta.url);

/** How hard a password is to guess, by zxcvbn; `hints` are words that its guesser would try first. */
export const checkStrength: PasswordCheck = async (password, hints) => {
  const worker = new Worker(WORKER, { workerData: { password, hints }, resourceLimits: { maxOldGenerationSizeMb: 128 } });
  try {
    const [score] = z.tuple([z.int()]).rest(z.unknown()).parse(await once(worker, "message"));
    if (score >= STRENGTH_MIN) return null;
    return "it is too easy to guess; add words that do not belong together";
  } finally {
    await worker.terminate();
  }
};
