import { mkdir, open, rename } from "node:fs/promises";
import path from "node:path";

/** Where the command line on this machine finds the admin key, without anybody copying it. */
export function adminKeyFile(dataDirectory: string): string {
  return path.join(dataDirectory, "keys", "admin.key");
}

/** Writes the key for the account of the server alone, whole or not at all. */
export async function writeKeyFile(file: string, key: string): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
  const partial = `${file}.new`;
  const handle = await open(partial, "w", 0o600);
  try {
    await handle.chmod(0o600);
    await handle.writeFile(`${key}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(partial, file);
}
