import { gauge, type Family } from "../family.ts";
import type { MachineFiles } from "../machine-files.ts";

/** Open files of all processes (proc_sys_fs(5)). */
export function openFilesMetrics({ read }: Pick<MachineFiles, "read">): Family[] {
  const [allocated, , maximum] = (read("/proc/sys/fs/file-nr") ?? "").trim().split(/\s+/);
  const numberOf = (text: string | undefined) => (text ? Number(text) : null);
  return [
    gauge("mainstay_host_filefd_allocated", "Open files of all processes.", numberOf(allocated)),
    gauge("mainstay_host_filefd_maximum", "How many there may be.", numberOf(maximum)),
  ];
}
