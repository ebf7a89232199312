import { counter, gauge, type Family, type Sample } from "../family.ts";
import type { MachineFiles } from "../machine-files.ts";

/** The unit of times in /proc/stat: 100 per second on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;
/** In the order of proc_stat(5); time of guests is in `user` and `nice` already. */
const MODES = ["user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal"];

/** What the processors do (proc_stat(5), proc_loadavg(5)). */
export function processorMetrics({ read }: Pick<MachineFiles, "read">): Family[] {
  const stat = read("/proc/stat") ?? "";
  const load = (read("/proc/loadavg") ?? "").split(" ");
  const figure = (name: string) => numberOf(new RegExp(`^${name} (\\d+)`, "m").exec(stat)?.[1]);
  const loadOf = (index: number) => numberOf(load[index] || undefined);
  return [
    counter("mainstay_host_cpu_seconds_total", "What each processor spent its time with.", timesOf(stat)),
    counter("mainstay_host_context_switches_total", "Switches between tasks.", figure("ctxt")),
    counter("mainstay_host_forks_total", "Processes and threads that were begun.", figure("processes")),
    gauge(
      "mainstay_host_boot_time_seconds",
      "When the machine began, in seconds since 1970.",
      figure("btime"),
    ),
    gauge("mainstay_host_procs_running", "Tasks that run or could.", figure("procs_running")),
    gauge("mainstay_host_procs_blocked", "Tasks that wait for a disk.", figure("procs_blocked")),
    gauge("mainstay_host_load1", "Tasks that run or wait, on average of a minute.", loadOf(0)),
    gauge("mainstay_host_load5", "The same of five minutes.", loadOf(1)),
    gauge("mainstay_host_load15", "The same of fifteen minutes.", loadOf(2)),
  ];
}

function timesOf(stat: string): Sample[] {
  return [...stat.matchAll(/^cpu(\d+) (.*)$/gm)].flatMap(([, cpu = "", ticks = ""]) => {
    const values = ticks.split(" ").map(Number);
    return MODES.map((mode, index) => ({
      labels: { cpu, mode },
      value: (values[index] ?? 0) / TICKS_PER_SECOND,
    }));
  });
}

function numberOf(text: string | undefined): number | null {
  return text === undefined ? null : Number(text);
}
