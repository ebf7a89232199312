import { readFile, stat } from "node:fs/promises";
import { isHttpUrl, type HttpTarget, type SecretSource } from "@mainstay/api";

export type ReadSecret = (source: SecretSource) => Promise<string>;

/**
 * Reads secrets where they are kept, anew each time, so that a file may be replaced while the server runs.
 */
export function createSecretReader(env: Readonly<Record<string, string | undefined>>): ReadSecret {
  return async ({ env: name, file }) => {
    if (file !== undefined) return readPrivate(file);
    const value = env[name ?? ""] ?? "";
    if (value === "") throw new Error(`the variable ${name} is not set in the server's environment`);
    return value;
  };
}

/** Whatever a URL leads to, its path may be a secret: only the host is shown. */
export function describeTarget(target: HttpTarget): string {
  if (typeof target === "string") return new URL(target).origin;
  return target.env === undefined ? `from ${target.file}` : `from $${target.env}`;
}

/** The URL itself. Throws with words that do not repeat it. */
export async function readTarget(target: HttpTarget, readSecret: ReadSecret): Promise<string> {
  if (typeof target === "string") return target;
  const text = await readSecret(target);
  if (!isHttpUrl(text))
    throw new Error(`${describeTarget(target)}: expected an http:// or https:// URL without a password`);
  return text;
}

async function readPrivate(file: string): Promise<string> {
  try {
    const { mode } = await stat(file);
    if ((mode & 0o007) !== 0) throw new Error("other accounts may use it (chmod o= mends that)");
    const text = (await readFile(file, "utf8")).trim();
    if (text === "") throw new Error("it is empty");
    return text;
  } catch (error) {
    const reason = error instanceof Error && "code" in error ? error.code : error;
    throw new Error(`the secret ${file} cannot be used: ${words(reason)}`, { cause: error });
  }
}

function words(reason: unknown): string {
  return reason instanceof Error ? reason.message : String(reason);
}
