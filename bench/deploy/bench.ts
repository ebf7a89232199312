import { parseArgs } from "node:util";
import type { BenchReport } from "../bench.ts";
import { measureLoss } from "./loss.ts";
import { measureRestores, measureRollbacks } from "./restore.ts";

const USAGE =
  "Usage: npm run bench -- deploy [--deploys 1…1000] [--rps 1…5000] [--hand-overs 0…100] [--kills 0…100] [--restores 1…100]";

/**
 * What a deploy costs the users: requests lost over many deploys, with hand-overs of the proxy and
 * kills of the server among them; how long a bad release keeps users; how long a rollback takes.
 */
export async function run({ args }: { args: string[] }): Promise<BenchReport> {
  const options = readOptions(args);
  const loss = await measureLoss(options);
  const restores = await measureRestores(options.restores);
  const rollbacks = await measureRollbacks(options.restores);
  return { tables: [loss, restores, rollbacks] };
}

function readOptions(args: string[]) {
  const text = (value: string) => ({ type: "string", default: value }) as const;
  const { values } = parseArgs({
    args,
    options: {
      deploys: text("100"),
      rps: text("500"),
      "hand-overs": text("20"),
      kills: text("20"),
      restores: text("20"),
    },
  });
  const read = (name: keyof typeof values, least: number, most: number): number => {
    const value = Number(values[name]);
    if (!Number.isInteger(value) || value < least || value > most) throw new Error(USAGE);
    return value;
  };
  return {
    deploys: read("deploys", 1, 1000),
    ratePerSecond: read("rps", 1, 5000),
    handOvers: read("hand-overs", 0, 100),
    kills: read("kills", 0, 100),
    restores: read("restores", 1, 100),
  };
}
