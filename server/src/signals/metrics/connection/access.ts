import { readFile } from "node:fs/promises";
import type { SecureContextOptions } from "node:tls";
import { readPrivateFile } from "../../../kernel/read-private-file.ts";

/** Text, or a file that holds it and is read again each time, or a variable that ought to hold it. */
export type Secret =
  | { text: string }
  | { file: string }
  /** Which other accounts must not be able to use. */
  | { privateFile: string }
  | { unsetVariable: string };

/** With what another server is asked; plain data, for it crosses to the thread of the store. */
export interface Access {
  headers: readonly (readonly [name: string, value: Secret])[];
  basic: { username: Secret | null; password: Secret | null } | null;
  token: { type: string; credentials: Secret | null } | null;
  tls: {
    /** Who is trusted in place of those that the system trusts. */
    ca: Secret | null;
    cert: Secret | null;
    key: Secret | null;
    serverName: string | null;
    isUnchecked: boolean;
  };
}

/** The headers that prove who asks, in lower case, as files say right now. */
export async function readProof({ headers, basic, token }: Access): Promise<Record<string, string>> {
  const entries = headers.map(
    async ([name, value]) => [name.toLowerCase(), await readSecret(value)] as const,
  );
  const proof = Object.fromEntries(await Promise.all(entries));
  if (token) return { ...proof, authorization: `${token.type} ${await readSecret(token.credentials)}` };
  if (!basic) return proof;
  const pair = `${await readSecret(basic.username)}:${await readSecret(basic.password)}`;
  return { ...proof, authorization: `Basic ${Buffer.from(pair).toString("base64")}` };
}

export interface TlsOptions extends Pick<SecureContextOptions, "ca" | "cert" | "key"> {
  servername?: string;
  rejectUnauthorized: boolean;
}

/** Who is trusted, and what certificate is shown, as files say right now. */
export async function readTlsOptions({ tls }: Access): Promise<TlsOptions> {
  const { ca, cert, key, serverName, isUnchecked } = tls;
  return {
    ...(ca === null ? {} : { ca: await readSecret(ca) }),
    ...(cert === null ? {} : { cert: await readSecret(cert) }),
    ...(key === null ? {} : { key: await readSecret(key) }),
    ...(serverName === null ? {} : { servername: serverName }),
    rejectUnauthorized: !isUnchecked,
  };
}

/** What it is right now; nothing for none. */
async function readSecret(secret: Secret | null): Promise<string> {
  if (secret === null) return "";
  if ("text" in secret) return secret.text;
  if ("privateFile" in secret) return readPrivateFile(secret.privateFile);
  if ("file" in secret) return (await readFile(secret.file, "utf8")).trim();
  throw new Error(`the variable ${secret.unsetVariable} is not set in the server's environment`);
}
