import { setTimeout as sleep } from "node:timers/promises";
import { backOffMs } from "../system/back-off.ts";
import { EngineUnreachable } from "./engine-http.ts";

const isAway = (error: unknown) => error instanceof EngineUnreachable;
const BACK_OFF = { firstMs: 250, limitMs: 15_000 };

/** Does it again for as long as the engine is away: it restarts, and containers may outlive that. */
export async function persist<Result>(
  act: () => Promise<Result>,
  isPassing: (error: unknown) => boolean = isAway,
): Promise<Result> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await act();
    } catch (error) {
      if (!isPassing(error)) throw error;
      await sleep(backOffMs(attempt, BACK_OFF), undefined, { ref: false });
    }
  }
}
