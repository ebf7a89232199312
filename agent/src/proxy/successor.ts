import { statSync, watch } from "node:fs";
import { dirname } from "node:path";

/** Resolves when another process has put its socket at `path` in place of this one's, or the time is over. */
export function untilReplaced(path: string, timeoutMs: number): Promise<void> {
  const read = () => statSync(path, { throwIfNoEntry: false })?.ino;
  const own = read();
  return new Promise((resolve) => {
    const watcher = watch(dirname(path), look);
    const timer = setTimeout(end, timeoutMs);
    function look(): void {
      const now = read();
      if (now !== undefined && now !== own) end();
    }
    function end(): void {
      watcher.close();
      clearTimeout(timer);
      resolve();
    }
    look();
  });
}
