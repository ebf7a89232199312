import { counter, gauge, type Family, type Sample } from "../family.ts";
import type { MachineFiles } from "../machine-files.ts";

/** The unit of /proc/diskstats, whatever the device has (the kernel's admin-guide/iostats.rst). */
const SECTOR_BYTES = 512;
/** Partitions, and what is no disk: the same as Prometheus' node_exporter leaves out. */
const NO_DISK = /^(z?ram|loop|fd|(h|s|v|xv)d[a-z]|nvme\d+n\d+p)\d+$/;

/** Ours, position of the figure in /proc/diskstats, its unit in ours. */
const FIGURES: [name: string, position: number, unit: number, help: string][] = [
  ["reads_completed_total", 3, 1, "Reads that were completed."],
  ["read_bytes_total", 5, SECTOR_BYTES, "What was read."],
  ["read_time_seconds_total", 6, 0.001, "Time of all reads together."],
  ["writes_completed_total", 7, 1, "Writes that were completed."],
  ["written_bytes_total", 9, SECTOR_BYTES, "What was written."],
  ["write_time_seconds_total", 10, 0.001, "Time of all writes together."],
  ["io_time_seconds_total", 12, 0.001, "Time during which the disk had something to do."],
  ["io_time_weighted_seconds_total", 13, 0.001, "The same, times how much it had to do."],
];

/** What the disks do. */
export function diskMetrics({ read }: Pick<MachineFiles, "read">): Family[] {
  const rows = (read("/proc/diskstats") ?? "").split("\n").map((line) => line.trim().split(/\s+/));
  const disks = rows.filter(([, , device = ""]) => device !== "" && !NO_DISK.test(device));
  const samples = (position: number, unit: number): Sample[] =>
    disks.map((row) => ({ labels: { device: row[2] ?? "" }, value: Number(row[position]) * unit }));
  return [
    ...FIGURES.map(([name, position, unit, help]) =>
      counter(`mainstay_host_disk_${name}`, help, samples(position, unit)),
    ),
    gauge("mainstay_host_disk_io_now", "Reads and writes under way.", samples(11, 1)),
  ];
}
