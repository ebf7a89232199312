import { readdirSync, statSync, watch } from "node:fs";
import { dirname } from "node:path";

/**
 * Resolves when another process has put its socket at `path` in place of this one's; to false when the time
 * is over before.
 */
export function untilReplaced(path: string, timeoutMs: number): Promise<boolean> {
  const read = () => statSync(path, { throwIfNoEntry: false })?.ino;
  const own = read();
  return new Promise((resolve) => {
    const watcher = watch(dirname(path), look);
    const timer = setTimeout(() => end(false), timeoutMs);
    function look(): void {
      const now = read();
      if (now !== undefined && now !== own) end(true);
    }
    function end(isReplaced: boolean): void {
      watcher.close();
      clearTimeout(timer);
      resolve(isReplaced);
    }
    look();
  });
}

/** The control socket of a worker that leaves its slot to another. */
export function leavingSocket(slot: number, pid: number): string {
  return `proxy-${slot}-${pid}.sock`;
}

const LEAVING = /^proxy-(\d+)-\d+\.sock$/;

/** The control sockets of those that leave; one that was killed meanwhile has left its file. */
export function listLeaving(directory: string): { name: string; slot: number }[] {
  return readdirSync(directory).flatMap((name) => {
    const slot = LEAVING.exec(name)?.[1];
    return slot === undefined ? [] : [{ name, slot: Number(slot) }];
  });
}
