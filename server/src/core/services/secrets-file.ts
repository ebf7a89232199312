import { lstat, readFile } from "node:fs/promises";
import path from "node:path";
import { AppError } from "@mainstay/api";

/**
 * Reads the values of a service's secrets: `<keys>/<service>.<environment>.env`, KEY=value lines, mode 0600.
 */
export function createSecretsFile({ directory }: { directory: string }) {
  const fileOf = (service: string, environment: string) =>
    path.join(directory, `${service}.${environment}.env`);
  return {
    /** Every name in the file; none when it cannot be read, which `read` tells whoever needs a value. */
    async names(service: string, environment: string): Promise<string[]> {
      const text = await readPrivate(fileOf(service, environment)).catch(() => "");
      return Object.keys(parseLines(text));
    },
    /** Values by name. Throws SECRETS_FILE or SECRET_MISSING; no message ever holds a value. */
    async read(
      service: string,
      environment: string,
      names: readonly string[],
    ): Promise<Record<string, string>> {
      if (names.length === 0) return {};
      const file = fileOf(service, environment);
      const values = parseLines(await readPrivate(file));
      const missing = names.filter((name) => values[name] === undefined);
      if (missing.length > 0) throw new AppError("SECRET_MISSING", { names: missing.join(", "), file });
      return Object.fromEntries(names.map((name) => [name, values[name] ?? ""]));
    },
  };
}
export type SecretsFile = ReturnType<typeof createSecretsFile>;

async function readPrivate(file: string): Promise<string> {
  const stats = await lstat(file).catch((error: NodeJS.ErrnoException) => {
    throw new AppError("SECRETS_FILE", { file, reason: error.code ?? "it cannot be read" }, { cause: error });
  });
  if ((stats.mode & 0o077) !== 0) {
    throw new AppError("SECRETS_FILE", { file, reason: "other accounts may read it" });
  }
  return readFile(file, "utf8");
}

function parseLines(text: string): Record<string, string> {
  const lines = text.split("\n").map((line) => /^\s*([A-Za-z_][A-Za-z0-9_]*)=(.*)$/.exec(line));
  return Object.fromEntries(
    lines.flatMap((match) => (match ? [[match[1] ?? "", match[2]?.trim() ?? ""]] : [])),
  );
}
