import type { Family } from "./family.ts";
import { diskMetrics } from "./host/disks.ts";
import { filesystemMetrics } from "./host/filesystems.ts";
import { createGpuMetrics } from "./host/gpus.ts";
import { memoryMetrics } from "./host/memory.ts";
import { networkMetrics } from "./host/network.ts";
import { openFilesMetrics } from "./host/open-files.ts";
import { pressureMetrics } from "./host/pressure.ts";
import { processorMetrics } from "./host/processors.ts";
import type { MachineFiles } from "./machine-files.ts";

/** Figures of the machine, read anew at each call. */
export function createHostMetrics(files: MachineFiles): () => Promise<Family[]> {
  const gpuMetrics = createGpuMetrics();
  return async () => {
    const [filesystems, gpus] = await Promise.all([filesystemMetrics(files), gpuMetrics()]);
    const others = [
      ...[processorMetrics, memoryMetrics, pressureMetrics, diskMetrics, networkMetrics, openFilesMetrics],
    ].flatMap((metrics) => metrics(files));
    return [...others, ...filesystems, ...gpus].filter(({ samples }) => samples.length > 0);
  };
}
