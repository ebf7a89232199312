import { execFile } from "node:child_process";
import { readFile, statfs } from "node:fs/promises";
import { promisify } from "node:util";
import { portsInUse } from "./domain/ports-in-use.ts";

const COMMAND_TIMEOUT_MS = 5000;
const run = promisify(execFile);

/** What the checks ask of the machine; everything else they do is arithmetic. */
export interface Machine {
  freeDiskBytes(path: string): Promise<number>;
  /** Within the limits of the control group, if there are any. */
  availableMemoryBytes(): number;
  portsInUse(): Promise<ReadonlySet<number>>;
  /** Whether a shell in this directory would find the command. */
  hasCommand(name: string, directory: string): Promise<boolean>;
  /** The version that `node` in a process's command would be, as in "24.21.0"; null when there is none. */
  nodeVersion(directory: string): Promise<string | null>;
  readFile(path: string): Promise<string | null>;
}

export function createMachine(): Machine {
  return {
    async freeDiskBytes(path) {
      const { bavail, bsize } = await statfs(path);
      return bavail * bsize;
    },
    availableMemoryBytes: () => process.availableMemory(),
    async portsInUse() {
      const tables = ["/proc/net/tcp", "/proc/net/tcp6"].map((path) =>
        readFile(path, "utf8").catch(() => ""),
      );
      return portsInUse((await Promise.all(tables)).join("\n"));
    },
    hasCommand: (name, directory) =>
      shell('command -v -- "$1"', name, directory).then(
        () => true,
        () => false,
      ),
    nodeVersion: (directory) =>
      shell('exec "$1" --version', "node", directory).then(
        ({ stdout }) => stdout.trim().replace(/^v/, ""),
        () => null,
      ),
    readFile: (path) => readFile(path, "utf8").catch(() => null),
  };
}

/** In the environment of this server, which is the one that the agent starts processes in. */
function shell(script: string, argument: string, directory: string) {
  return run("/bin/sh", ["-c", script, "sh", argument], { cwd: directory, timeout: COMMAND_TIMEOUT_MS });
}
