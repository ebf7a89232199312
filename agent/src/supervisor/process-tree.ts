import { setTimeout as sleep } from "node:timers/promises";
import type { ControlGroup } from "../system/control-groups.ts";
import { listProcesses, readEnvironment, type ProcessFacts } from "../system/process-table.ts";

const POLL_MS = 50;
const KILL_ROUNDS = 100;

/** A process and everything it started. */
export interface Tree {
  /** The first process: leader of its own session and process group. */
  pid: number;
  startTicks: number;
  /**
   * These variables mark a process as belonging to the tree,
   * even if it has left the session. None: only the session.
   */
  marks: Readonly<Record<string, string>>;
  /** What else the kernel knows to belong to it. */
  group?: Pick<ControlGroup, "pids" | "kill">;
}

/**
 * Every living process of the tree: those of its control group, those of
 * its session, and those that carry its marks in their environment.
 */
export function findTree({ pid, startTicks, marks, group }: Tree): ProcessFacts[] {
  const living = listProcesses().filter((each) => each.state !== "Z" && each.state !== "X");
  // Another process with the leader's id means that the kernel
  // gave the session's number away: nothing is left in it.
  const grouped = new Set(group?.pids());
  // Session 0 is that of everything whose session lies outside of this namespace, and nobody's.
  const hasSession = pid > 0;
  const isReused = living.some((each) => each.pid === pid && each.startTicks !== startTicks);
  return living.filter((each) => {
    if (grouped.has(each.pid) || (hasSession && each.session === pid && !isReused)) return true;
    return each.startTicks >= startTicks && hasMarks(each.pid, marks);
  });
}

/**
 * SIGTERM to the process group, SIGKILL to whatever is left
 * of the tree after the time; resolves when nothing is.
 */
export async function endTree(tree: Tree, timeoutMs: number): Promise<void> {
  const leader = findTree(tree).find((each) => each.pid === tree.pid);
  if (leader) signal(-tree.pid, "SIGTERM");
  const deadlineMs = performance.now() + timeoutMs;
  while (performance.now() < deadlineMs) {
    if (findTree(tree).length === 0) return;
    await sleep(Math.min(POLL_MS, Math.max(1, deadlineMs - performance.now())));
  }
  await killTree(tree);
}

/** SIGKILL to every process of the tree, until there is none. */
export async function killTree(tree: Tree): Promise<void> {
  for (let round = 0; round < KILL_ROUNDS; round += 1) {
    const left = findTree(tree);
    if (left.length === 0) return;
    tree.group?.kill();
    for (const each of left) signal(each.pid, "SIGKILL");
    await sleep(round === 0 ? 5 : POLL_MS);
  }
  throw new Error(`processes of session ${tree.pid} cannot be killed`);
}

function hasMarks(pid: number, marks: Tree["marks"]): boolean {
  if (Object.keys(marks).length === 0) return false;
  const environment = readEnvironment(pid);
  return Object.entries(marks).every(([name, value]) => environment.get(name) === value);
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    const isGone = error instanceof Error && "code" in error && error.code === "ESRCH";
    if (!isGone) throw error;
  }
}
