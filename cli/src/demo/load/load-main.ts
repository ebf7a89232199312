/** The load generator, a process of its own; its argument: {"url":"http://127.0.0.1:8080","mix":"hello"} */
import { AppError } from "@mainstay/api/plain";
import type { LoadLine } from "./load-lines.ts";
import { parseLoadOptions } from "./load-options.ts";
import { createRandom } from "./random.ts";
import { MIXES } from "./request-mix.ts";
import { createLoad, type LoadClock } from "./run-load.ts";
import { createTransport } from "./transport.ts";

const EXIT_FAILED = 1;
const EXIT_USAGE = 2;

const clock: LoadClock = {
  nowMs: () => performance.now(),
  wallClock: () => new Date(),
  after(delayMs, run) {
    const timer = setTimeout(run, delayMs);
    return () => clearTimeout(timer);
  },
};

function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return Number(((user + system) / 1e6).toFixed(3));
}

async function main(argument: string): Promise<void> {
  const options = parseLoadOptions(argument);
  const load = createLoad({
    options,
    mix: MIXES[options.mix](),
    transport: createTransport(options),
    random: createRandom(options.seed),
    clock,
    cpuSeconds,
    emit: (line: LoadLine) => process.stdout.write(`${JSON.stringify(line)}\n`),
  });
  process.on("SIGTERM", load.stop);
  process.on("SIGINT", load.stop);
  // Nobody reads any more: the parent is gone, and a load that nobody watches must end.
  process.stdout.on("error", () => process.exit(EXIT_FAILED));
  await load.run();
}

function describe(error: unknown): string {
  if (!(error instanceof AppError)) return error instanceof Error ? error.message : String(error);
  const fields = error.errors.map(({ path, message }) => `\n  ${path}: ${message}`);
  return `${error.message}${fields.join("")}`;
}

try {
  await main(process.argv[2] ?? "{}");
} catch (error) {
  process.stderr.write(`${describe(error)}\n`);
  process.exit(error instanceof AppError ? EXIT_USAGE : EXIT_FAILED);
}
