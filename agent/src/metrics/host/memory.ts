import { gauge, type Family } from "../family.ts";
import type { MachineFiles } from "../machine-files.ts";

/** Ours by the kernel's (proc_meminfo(5)). */
const FIGURES: [name: string, key: string, help: string][] = [
  ["memory_total", "MemTotal", "Memory of the machine."],
  ["memory_free", "MemFree", "Memory that nothing uses."],
  ["memory_available", "MemAvailable", "Memory that processes could get without swapping."],
  ["memory_buffers", "Buffers", "Buffers of block devices."],
  ["memory_cached", "Cached", "Files in memory."],
  ["memory_dirty", "Dirty", "Memory that waits to be written to a disk."],
  ["memory_shared", "Shmem", "Shared memory and tmpfs."],
  ["memory_slab_reclaimable", "SReclaimable", "Caches of the kernel that can be freed."],
  ["swap_total", "SwapTotal", "Room for swapped memory."],
  ["swap_free", "SwapFree", "Room for swapped memory that nothing uses."],
];

export function memoryMetrics({ read }: Pick<MachineFiles, "read">): Family[] {
  const lines = (read("/proc/meminfo") ?? "").split("\n").map((line) => line.split(/:\s+/));
  const kilobytes = new Map(lines.map(([key = "", value = ""]) => [key, parseInt(value, 10)]));
  return FIGURES.map(([name, key, help]) => {
    const found = kilobytes.get(key);
    return gauge(`mainstay_host_${name}_bytes`, help, found === undefined ? null : found * 1024);
  });
}
