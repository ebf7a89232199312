import { listProcesses, readMemoryBytes } from "../system/process-table.ts";

const FRESH_MS = 1000;

export interface Usage {
  memoryBytes: number;
  cpuSeconds: number;
}

/** What the processes of each session use; read from /proc at most once a second. */
export function createResources(nowMs: () => number): (session: number) => Usage | null {
  let readAtMs = -Infinity;
  let bySession = new Map<number, Usage>();

  return (session) => {
    if (nowMs() - readAtMs > FRESH_MS) {
      bySession = readUsage();
      readAtMs = nowMs();
    }
    return bySession.get(session) ?? null;
  };
}

function readUsage(): Map<number, Usage> {
  const bySession = new Map<number, Usage>();
  for (const { pid, session, cpuSeconds } of listProcesses()) {
    const usage = bySession.get(session) ?? { memoryBytes: 0, cpuSeconds: 0 };
    usage.memoryBytes += readMemoryBytes(pid) ?? 0;
    usage.cpuSeconds += cpuSeconds;
    bySession.set(session, usage);
  }
  return bySession;
}
