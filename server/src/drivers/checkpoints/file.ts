import { open, readFile, rename } from "node:fs/promises";
import type { KeeperOf } from "@mainstay/api";
import { checkExtension, createVerifier, openCheckpoint } from "@mainstay/tlog";
import type { CheckpointKeeper, CheckpointPush } from "../../core/audit/index.ts";

/**
 * The newest checkpoint in a file, on a mount that this machine can at best add to. One that the log does
 * not go on from is never replaced.
 */
export function createFileKeeper({ path, every }: KeeperOf<"file">): CheckpointKeeper {
  return {
    target: path,
    everyMs: every,
    async keep(push) {
      const kept = await readFile(path, "utf8").catch((error: unknown) => {
        if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
        throw error;
      });
      if (kept !== null && kept !== "") await checkGoesOn(kept, push);
      await write(path, push.checkpoint.note);
      return { cosignature: null };
    },
  };
}

async function checkGoesOn(kept: string, { checkpoint, vkey, prove }: CheckpointPush): Promise<void> {
  const retained = openCheckpoint(kept, { origin: checkpoint.origin, keys: [createVerifier(vkey)] });
  const isShorter = retained.size > checkpoint.size;
  const proof = isShorter ? [] : await prove(retained.size);
  checkExtension({ retained, current: checkpoint, proof });
}

async function write(path: string, note: string): Promise<void> {
  const partial = `${path}.new`;
  const handle = await open(partial, "w", 0o644);
  try {
    await handle.writeFile(note);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(partial, path);
}
