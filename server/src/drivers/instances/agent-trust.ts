import { mkdir, open, readFile, rename } from "node:fs/promises";
import path from "node:path";
import { trustedKeysFile, type TrustedKeys } from "@mainstay/agent";

/** Leaves the keys that the server's calls are signed with where the agent of this machine reads them. */
export function createAgentTrust({ dataDirectory }: { dataDirectory: string }) {
  const file = trustedKeysFile(dataDirectory);

  /** Whole or not at all; also when somebody else has altered or removed it since. */
  return async function publish(trusted: TrustedKeys): Promise<void> {
    const text = JSON.stringify(trusted);
    if ((await readFile(file, "utf8").catch(() => null)) === text) return;
    await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
    const partial = `${file}.${process.pid}`;
    const handle = await open(partial, "w", 0o600);
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(partial, file);
  };
}
