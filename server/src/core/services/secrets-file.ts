import { lstat, mkdir, open, readdir, readFile, rename, rm } from "node:fs/promises";
import path from "node:path";
import { AppError } from "@mainstay/api";
import type { Target } from "./store.ts";

/** So many earlier versions stay on the disk, for releases that come back. */
const VERSIONS_KEPT = 10;

/**
 * The values of a service's secrets, KEY=value lines, mode 0600: `<keys>/<service>.<environment>.env` as
 * people write it, and one whole file for every version that a change made.
 */
export function createSecretsFile({ directory }: { directory: string }) {
  const stem = ({ service, environment }: Target) => path.join(directory, `${service}.${environment}`);
  const fileOf = (target: Target, version: string | null) =>
    version === null ? `${stem(target)}.env` : `${stem(target)}.${version}.env`;

  /** Every value of a version; none when there is no file that people wrote. */
  async function all(target: Target, version: string | null): Promise<Record<string, string>> {
    const file = fileOf(target, version);
    const isMissing = await lstat(file).then(
      () => false,
      () => version === null,
    );
    return isMissing ? {} : parseLines(await readPrivate(file));
  }

  return {
    all,
    /** Every name of a version; none when it cannot be read, which `read` tells whoever needs a value. */
    async names(target: Target, version: string | null): Promise<string[]> {
      return Object.keys(await all(target, version).catch(() => ({})));
    },
    /** Values by name. Throws SECRETS_FILE or SECRET_MISSING; no message ever holds a value. */
    async read(
      target: Target,
      names: readonly string[],
      version: string | null = null,
    ): Promise<Record<string, string>> {
      if (names.length === 0) return {};
      const file = fileOf(target, version);
      const values = parseLines(await readPrivate(file));
      const missing = names.filter((name) => values[name] === undefined);
      if (missing.length > 0) throw new AppError("SECRET_MISSING", { names: missing.join(", "), file });
      return Object.fromEntries(names.map((name) => [name, values[name] ?? ""]));
    },
    /** Writes a version, whole or not at all. */
    async write(target: Target, version: string | null, values: Record<string, string>): Promise<void> {
      await mkdir(directory, { recursive: true, mode: 0o700 });
      const file = fileOf(target, version);
      const lines = Object.entries(values).map(([name, value]) => `${name}=${value}\n`);
      await using draft = await open(`${file}.new`, "w", 0o600);
      await draft.writeFile(lines.join(""));
      await draft.sync();
      await rename(`${file}.new`, file);
    },
    /** Deletes old versions; those in use stay. */
    async prune(target: Target, inUse: readonly (string | null)[]): Promise<void> {
      const prefix = `${path.basename(stem(target))}.`;
      const versions = (await readdir(directory))
        .filter((name) => name.startsWith(`${prefix}rel_`) && name.endsWith(".env"))
        .map((name) => name.slice(prefix.length, -".env".length))
        .toSorted();
      const old = versions.slice(0, -VERSIONS_KEPT).filter((each) => !inUse.includes(each));
      for (const each of old) await rm(fileOf(target, each), { force: true });
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
