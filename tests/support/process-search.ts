import { readdirSync, readFileSync, readlinkSync } from "node:fs";

export interface FoundProcess {
  pid: number;
  command: string;
}

/**
 * Every living process that has to do with a directory: it is named on the
 * command line or in the environment, is the working directory, or holds an
 * open file. A child that ran away from session and parent is found too.
 */
export function findProcessesOf(directory: string): FoundProcess[] {
  return readdirSync("/proc").flatMap((entry) => {
    const pid = Number(entry);
    if (!Number.isInteger(pid) || pid === process.pid || isDead(pid)) return [];
    const traces = [
      read(pid, "cmdline"),
      read(pid, "environ"),
      follow(`/proc/${pid}/cwd`),
      ...openFiles(pid),
    ];
    if (!traces.some((trace) => trace.includes(directory))) return [];
    return [{ pid, command: read(pid, "cmdline").replaceAll("\0", " ").trim() }];
  });
}

/**
 * Gone, or a zombie. The state follows the last ")", as
 * the name before it may hold anything (proc_pid_stat(5)).
 */
function isDead(pid: number): boolean {
  const stat = read(pid, "stat");
  const state = stat.slice(stat.lastIndexOf(")") + 2, stat.lastIndexOf(")") + 3);
  return stat === "" || state === "Z" || state === "X";
}

function openFiles(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).map((each) => follow(`/proc/${pid}/fd/${each}`));
  } catch {
    // Gone meanwhile, or somebody else's.
    return [];
  }
}

function follow(link: string): string {
  try {
    return readlinkSync(link);
  } catch {
    return "";
  }
}

function read(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "latin1");
  } catch {
    return "";
  }
}
