// Stand-in until the room is written; its owner replaces this file.
import { mkdir, readFile, writeFile } from "node:fs/promises";
export function createIdentity({ dataDirectory }: { db: unknown; clock: unknown; random: (n: number) => Uint8Array; dataDirectory: string }) {
  const file = `${dataDirectory}/keys/admin.key`;
  let key = "";
  return {
    async ensureAdminKey(): Promise<string | null> {
      await mkdir(`${dataDirectory}/keys`, { recursive: true, mode: 0o700 });
      key = await readFile(file, "utf8").catch(() => "");
      if (key) return null;
      key = `mk_${Math.random()}`;
      await writeFile(file, key, { mode: 0o600 });
      return key;
    },
    authenticate: async ({ headers }: { headers: Readonly<Record<string, string | string[] | undefined>> }) =>
      headers["authorization"] === `Bearer ${key}` ? { actor: { type: "key", id: "key_admin", name: "admin" }, can: () => true } : null,
  };
}
