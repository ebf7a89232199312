import { readdirSync, readFileSync } from "node:fs";

/** The unit of times in /proc/<pid>/stat: USER_HZ, 100 wherever Node runs on Linux (proc(5)). */
const TICKS_PER_SECOND = 100;

interface ProcessStat {
  pid: number;
  parent: number;
  /** User and system time, its own and that of children it has waited for. */
  cpuSeconds: number;
}

/** A process and all below it. */
export function processTree(pid: number): number[] {
  return listTree(pid).map((each) => each.pid);
}

/** Time that a process and all below it have spent on a core. */
export function cpuSecondsOf(pid: number): number {
  return listTree(pid).reduce((sum, each) => sum + each.cpuSeconds, 0);
}

/** Memory of a process and all below it, shared pages in proportion (PSS); null where it may not be read. */
export function memoryBytesOf(pid: number): number | null {
  const sum = processTree(pid).reduce((total, each) => total + memoryShareBytesOf(each), 0);
  return Number.isNaN(sum) ? null : sum;
}

/** Proportional set size of one process; NaN where it may not be read. */
export function memoryShareBytesOf(pid: number): number {
  const rollup = readText(`/proc/${pid}/smaps_rollup`);
  return Number(/^Pss:\s+(\d+) kB$/m.exec(rollup)?.[1] ?? NaN) * 1024;
}

function listTree(root: number): ProcessStat[] {
  const all = listProcesses();
  const tree = all.filter((each) => each.pid === root);
  for (const each of tree) tree.push(...all.filter((child) => child.parent === each.pid));
  return tree;
}

function listProcesses(): ProcessStat[] {
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return pids.flatMap((pid) => parseStat(readText(`/proc/${pid}/stat`)));
}

/** proc(5): fields are counted from behind the command, which stands in parentheses and may hold any. */
export function parseStat(text: string): ProcessStat[] {
  const end = text.lastIndexOf(")");
  if (end === -1) return [];
  const fields = text.slice(end + 2).split(" ");
  const [, parent, ...rest] = fields.map(Number);
  const ticks = rest.slice(9, 13).reduce((sum, each) => sum + each, 0);
  return [{ pid: Number.parseInt(text, 10), parent: parent ?? 0, cpuSeconds: ticks / TICKS_PER_SECOND }];
}

/** A process may end while it is looked at. */
function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
