import { readFileSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import path from "node:path";
import type { Clock } from "../../clock.ts";

/** A running PostgreSQL of some cluster, ours or one that an earlier server left behind. */
export interface Postmaster {
  pid: number;
  cluster: string;
  command: string[];
  socketDirectory: string;
}

const POLL_MS = 20;
/** Fast shutdown: clients are cut off and a checkpoint is written, which may take a while on a slow disk. */
const FAST_DEADLINE_MS = 20_000;
/** Immediate shutdown: nothing is written, the next start recovers from the log. */
const IMMEDIATE_DEADLINE_MS = 5_000;

/**
 * The PostgreSQL that runs on the cluster, or null. A lock file that names a stranger's process is removed.
 */
export async function findPostmaster(cluster: string): Promise<Postmaster | null> {
  const lockFile = path.join(cluster, "postmaster.pid");
  const text = await readFile(lockFile, "utf8").catch(() => "");
  if (text === "") return null;
  // Lines of postmaster.pid: pid, data directory, start time,
  // port, socket directory, … (miscadmin.h of PostgreSQL).
  const [pidText = "", , , , socketDirectory = ""] = text.split("\n");
  const pid = Number(pidText);
  const command = commandOf(pid);
  if (command.includes(cluster)) return { pid, cluster, command, socketDirectory };
  await rm(lockFile, { force: true });
  return null;
}

/** Stops it in order, and harder when that takes too long. Resolves once it is gone. */
export async function stopPostmaster(postmaster: Postmaster, clock: Clock): Promise<void> {
  const attempts = [
    { signal: "SIGINT", deadlineMs: FAST_DEADLINE_MS },
    { signal: "SIGQUIT", deadlineMs: IMMEDIATE_DEADLINE_MS },
    { signal: "SIGKILL", deadlineMs: IMMEDIATE_DEADLINE_MS },
  ] as const;
  for (const { signal, deadlineMs } of attempts) {
    if (!isRunning(postmaster)) return;
    sendSignal(postmaster.pid, signal);
    // There is no event for the end of somebody else's child.
    const endMs = clock.monotonicMs() + deadlineMs;
    while (isRunning(postmaster) && clock.monotonicMs() < endMs) await clock.sleep(POLL_MS);
  }
  if (isRunning(postmaster)) throw new Error(`PostgreSQL (process ${postmaster.pid}) does not stop`);
}

function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    const isGone = error instanceof Error && "code" in error && error.code === "ESRCH";
    if (!isGone) throw error;
  }
}

/**
 * Whether the process is still that PostgreSQL; its pid
 * may have been given to somebody else, or be a zombie's.
 */
export function isRunning({ pid, cluster }: Postmaster): boolean {
  return commandOf(pid).includes(cluster);
}

export function isSameCommand(one: string[], other: string[]): boolean {
  return one.length === other.length && one.every((part, index) => part === other[index]);
}

/** The command line of a process; empty when it is gone or a zombie. */
function commandOf(pid: number): string[] {
  if (!Number.isInteger(pid) || pid <= 0) return [];
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").slice(0, -1);
  } catch {
    return [];
  }
}
