import type { MachineFiles } from "./machine-files.ts";

/** What the processes of one instance use together. */
export interface ProcessFigures {
  processes: number;
  cpuSeconds: number;
  memoryBytes: number;
  virtualBytes: number;
  threads: number;
  openFiles: number;
}

export interface ProcessOfSession {
  pid: number;
  session: number;
  cpuSeconds: number;
}

/** Sums of each session whose first process is among these. */
export function figuresOfSessions(
  processes: readonly ProcessOfSession[],
  pids: ReadonlySet<number>,
  files: Pick<MachineFiles, "read" | "list">,
): Map<number, ProcessFigures> {
  const bySession = new Map<number, ProcessFigures>();
  for (const { pid, session, cpuSeconds } of processes) {
    if (!pids.has(session)) continue;
    const sum = bySession.get(session) ?? {
      ...{ processes: 0, cpuSeconds: 0, memoryBytes: 0, virtualBytes: 0, threads: 0, openFiles: 0 },
    };
    const status = files.read(`/proc/${pid}/status`) ?? "";
    sum.processes += 1;
    sum.cpuSeconds += cpuSeconds;
    sum.memoryBytes += figureOf(status, "VmRSS") * 1024;
    sum.virtualBytes += figureOf(status, "VmSize") * 1024;
    sum.threads += figureOf(status, "Threads");
    sum.openFiles += files.list(`/proc/${pid}/fd`).length;
    bySession.set(session, sum);
  }
  return bySession;
}

/** 0 for a process that is gone meanwhile, and for what a zombie has no more. */
function figureOf(status: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(status)?.[1] ?? 0);
}

/** Of the control group that an instance has to itself (the kernel's admin-guide/cgroup-v2.rst). */
export interface GroupFigures {
  memoryBytes: number | null;
  throttledSeconds: number | null;
}

/** Null where the process has no group of version 2 that is another than ours. */
export function figuresOfGroup(
  pid: number,
  ownPath: string | null,
  { read }: Pick<MachineFiles, "read">,
): GroupFigures | null {
  const path = groupPathOf(read(`/proc/${pid}/cgroup`) ?? "");
  if (path === null || path === "/" || path === ownPath) return null;
  const [base] = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"].filter(
    (each) => read(`${each}${path}/cgroup.procs`) !== null,
  );
  if (base === undefined) return null;
  const memory = read(`${base}${path}/memory.current`);
  const throttled = /^throttled_usec (\d+)$/m.exec(read(`${base}${path}/cpu.stat`) ?? "")?.[1];
  return {
    memoryBytes: memory === null ? null : Number(memory),
    throttledSeconds: throttled === undefined ? null : Number(throttled) / 1e6,
  };
}

/** The line of version 2 in /proc/<pid>/cgroup (cgroups(7)). */
export function groupPathOf(text: string): string | null {
  return /^0::(.*)$/m.exec(text)?.[1] ?? null;
}
