import { accessSync, chmodSync, constants, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

/** A directory of its own for a test, with a short path, passable for every account; `remove` deletes it. */
export function createTemporaryDirectory(): { path: string; remove(): void } {
  const directory = mkdtempSync(path.join(fastestDirectory(), "mainstay-test-"));
  chmodSync(directory, 0o755);
  return { path: directory, remove: () => rmSync(directory, { recursive: true, force: true }) };
}

/** Memory where there is a place for files in it, else the disk. */
function fastestDirectory(): string {
  try {
    accessSync("/dev/shm", constants.W_OK);
    return "/dev/shm";
  } catch {
    return tmpdir();
  }
}
