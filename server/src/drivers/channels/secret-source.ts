import { isHttpUrl, type HttpTarget, type SecretSource } from "@mainstay/api";
import { readPrivateFile } from "../../kernel/read-private-file.ts";

export type ReadSecret = (source: SecretSource) => Promise<string>;

/**
 * Reads secrets where they are kept, anew each time, so that a file may be replaced while the server runs.
 */
export function createSecretReader(env: Readonly<Record<string, string | undefined>>): ReadSecret {
  return async ({ env: name, file }) => {
    if (file !== undefined) return readPrivateFile(file);
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
