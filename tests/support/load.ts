import type { LoadSummary } from "../../cli/src/demo/load/load-lines.ts";
import { startLoad } from "../../cli/src/demo/load-process.ts";
import type { Product } from "./product.ts";
import { waitUntil } from "./wait-until.ts";

const RPS = 200;

/**
 * Does something while the load generator sends to
 * examples/hello in an open loop; gives back what it counted.
 */
export async function underLoad<Result>(
  product: Product,
  act: () => Promise<Result>,
): Promise<{ result: Result; load: LoadSummary }> {
  const load = await startLoad({ url: product.dataPlaneUrl, mix: "hello", rps: RPS });
  try {
    await waitUntil("the first answers under load", () => (load.latest()?.ok ?? 0) > 0);
    const result = await act();
    return { result, load: await load.stop() };
  } catch (error) {
    await load.stop().catch(() => undefined);
    throw error;
  }
}

/** What must be 0, as one object that a failed comparison shows in full. */
export function lostOf({ lost, refused, lostReasons, lostSamples }: LoadSummary) {
  return { lost, refused, lostReasons, lostSamples };
}

export const NOTHING_LOST = { lost: 0, refused: 0, lostReasons: {}, lostSamples: [] };
