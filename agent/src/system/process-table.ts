import { readFileSync, readdirSync } from "node:fs";

/** The unit of times in /proc/<pid>/stat: 100 per second on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

export interface ProcessFacts {
  pid: number;
  /** "Z" is a zombie: dead, but not yet collected. */
  state: string;
  processGroup: number;
  session: number;
  /** Ticks since the machine's boot: with the pid and the boot id it names a process for good. */
  startTicks: number;
  cpuSeconds: number;
}

/** What the kernel says of a process; null when there is none of that id. */
export function readProcess(pid: number): ProcessFacts | null {
  const text = readProc(`${pid}/stat`);
  if (text === null) return null;
  // The name may hold spaces and parentheses: the fixed fields follow the last ")" (proc(5)).
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return {
    pid,
    state: fields[0] ?? "?",
    processGroup: Number(fields[2]),
    session: Number(fields[3]),
    startTicks: Number(fields[19]),
    cpuSeconds: (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND,
  };
}

/** All processes of this machine that can be seen from here. */
export function listProcesses(): ProcessFacts[] {
  return readdirSync("/proc").flatMap((entry) => {
    const facts = /^\d+$/.test(entry) ? readProcess(Number(entry)) : null;
    return facts ? [facts] : [];
  });
}

/** Resident memory; null when the process is gone. */
export function readMemoryBytes(pid: number): number | null {
  const kilobytes = /^VmRSS:\s+(\d+) kB/m.exec(readProc(`${pid}/status`) ?? "")?.[1];
  return kilobytes === undefined ? null : Number(kilobytes) * 1024;
}

/** The environment a process was started with; empty when it is gone or belongs to somebody else. */
export function readEnvironment(pid: number): Map<string, string> {
  const pairs = (readProc(`${pid}/environ`) ?? "").split("\0").filter((pair) => pair.includes("="));
  return new Map(
    pairs.map((pair) => {
      const at = pair.indexOf("=");
      return [pair.slice(0, at), pair.slice(at + 1)];
    }),
  );
}

/** True while the process runs; a zombie does not. */
export function isAlive(pid: number): boolean {
  const facts = readProcess(pid);
  return facts !== null && facts.state !== "Z" && facts.state !== "X";
}

/** True while the very process runs that started then. */
export function isSameProcess(pid: number, startTicks: number): boolean {
  const facts = readProcess(pid);
  return facts !== null && facts.startTicks === startTicks && facts.state !== "Z" && facts.state !== "X";
}

/** The control groups this process is in, in the form of cgroups(7). */
export function readOwnGroups(): string {
  return readProc("self/cgroup") ?? "";
}

/** Changes with every boot of the machine. */
export function readMachineBootId(): string {
  return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
}

function readProc(path: string): string | null {
  try {
    return readFileSync(`/proc/${path}`, "utf8");
  } catch {
    // Gone meanwhile, or not ours to read.
    return null;
  }
}
