import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { gauge, type Family } from "../family.ts";

const QUERY = "index,name,utilization.gpu,memory.used,memory.total,temperature.gpu,power.draw";
const MIB = 2 ** 20;
/** Less than whoever asks waits for the whole. */
const TIMEOUT_MS = 1_500;

const FIGURES: [name: string, position: number, unit: number, help: string][] = [
  ["utilization_ratio", 2, 0.01, "Share of time in which it computed."],
  ["memory_used_bytes", 3, MIB, "Its memory in use."],
  ["memory_total_bytes", 4, MIB, "Its memory."],
  ["temperature_celsius", 5, 1, "How hot it is."],
  ["power_watts", 6, 1, "What it draws."],
];

/** Runs a program and gives what it wrote. */
export type Run = (program: string, args: readonly string[]) => Promise<string>;

const run: Run = async (program, args) =>
  (await promisify(execFile)(program, args, { timeout: TIMEOUT_MS })).stdout;

/** NVIDIA's GPUs by `nvidia-smi`; where it is missing it is not looked for again. */
export function createGpuMetrics(execute: Run = run): () => Promise<Family[]> {
  let isMissing = false;
  return async () => {
    if (isMissing) return [];
    try {
      return familiesOf(
        await execute("nvidia-smi", [`--query-gpu=${QUERY}`, "--format=csv,noheader,nounits"]),
      );
    } catch (error) {
      isMissing = error instanceof Error && "code" in error && error.code === "ENOENT";
      return [];
    }
  };
}

function familiesOf(text: string): Family[] {
  const rows = text.split("\n").flatMap((line) => (line.trim() === "" ? [] : [line.split(/,\s*/)]));
  return FIGURES.map(([name, position, unit, help]) =>
    gauge(
      `mainstay_host_gpu_${name}`,
      help,
      rows.flatMap(([gpu = "", model = "", ...figures]) => {
        // What a GPU cannot tell is "[N/A]".
        const value = Number(figures[position - 2]) * unit;
        return Number.isFinite(value) ? [{ labels: { gpu, name: model }, value }] : [];
      }),
    ),
  );
}
