import { readdirSync } from "node:fs";
import { monitorEventLoopDelay } from "node:perf_hooks";
import type { LongRunning } from "./actors.ts";
import type { Clock } from "./clock.ts";
import type { MetricFamily, Metrics } from "./metrics.ts";

const RESOLUTION_MS = 20;
const SECOND_MS = 1_000;
const LAG_BOUNDS_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

/** What this process costs, and how long its event loop was blocked: the longest wait of each second. */
export function createProcessMetrics({ metrics, clock }: { metrics: Metrics; clock: Clock }): LongRunning {
  const lag = metrics.histogram({
    name: "mainstay_server_event_loop_lag_seconds",
    help: "The longest time within each second that the event loop was late.",
    bounds: LAG_BOUNDS_SECONDS,
  });
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  const startedAtSeconds = clock.now().getTime() / SECOND_MS - process.uptime();
  let stopSampling: (() => void) | null = null;
  metrics.registerCollector("process", () => describeProcess(startedAtSeconds));

  return {
    name: "process metrics",
    start() {
      delay.enable();
      stopSampling = clock.every(SECOND_MS, () => {
        // The monitor measures from tick to tick, so an idle loop shows the resolution itself.
        lag.observe({}, Math.max(0, delay.max / 1e9 - RESOLUTION_MS / SECOND_MS));
        delay.reset();
      });
    },
    stop() {
      stopSampling?.();
      delay.disable();
    },
  };
}

function describeProcess(startedAtSeconds: number): MetricFamily[] {
  const memory = process.memoryUsage();
  const cpu = process.cpuUsage();
  const families: [string, MetricFamily["type"], string, number][] = [
    [
      "mainstay_server_start_time_seconds",
      "gauge",
      "When the process began, in seconds since 1970.",
      startedAtSeconds,
    ],
    [
      "mainstay_server_cpu_seconds_total",
      "counter",
      "User and system CPU time.",
      (cpu.user + cpu.system) / 1e6,
    ],
    ["mainstay_server_resident_memory_bytes", "gauge", "Resident memory.", memory.rss],
    ["mainstay_server_heap_bytes", "gauge", "JavaScript heap in use.", memory.heapUsed],
    ["mainstay_server_open_files", "gauge", "Open file descriptors.", countOpenFiles()],
  ];
  return families.map(([name, type, help, value]) => ({
    name,
    type,
    help,
    samples: [{ labels: {}, value }],
  }));
}

/** NaN where the system has no /proc. */
function countOpenFiles(): number {
  try {
    return readdirSync("/proc/self/fd").length;
  } catch {
    return NaN;
  }
}
