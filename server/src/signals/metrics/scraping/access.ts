import { readFile } from "node:fs/promises";
import { Agent as PlainAgent } from "node:http";
import { Agent as TlsAgent, type AgentOptions } from "node:https";

/** Text, or a file that holds it and is read again each time, or a variable that ought to hold it. */
export type Secret = { text: string } | { file: string } | { unsetVariable: string };

/** How the targets of a job may be asked. */
export interface Access {
  followRedirects: boolean;
  basic: { username: Secret | null; password: Secret | null } | null;
  token: { type: string; credentials: Secret | null } | null;
  tls: {
    ca: Secret | null;
    cert: Secret | null;
    key: Secret | null;
    serverName: string | null;
    isUnchecked: boolean;
  };
}

export interface Agents {
  http: PlainAgent;
  https: TlsAgent;
}

/** What it is right now; undefined for none. */
export async function readSecret(secret: Secret | null): Promise<string | undefined> {
  if (secret === null) return undefined;
  if ("unsetVariable" in secret)
    throw new Error(`the variable ${secret.unsetVariable} is not set in the server's environment`);
  return "text" in secret ? secret.text : (await readFile(secret.file, "utf8")).trim();
}

/** Proof of identity for one job, as its files say right now. */
export interface Credentials {
  /** The value of the header, or null for none. */
  authorization(): Promise<string | null>;
  agents(): Promise<Agents>;
  close(): void;
}

const CONNECTIONS_PER_TARGET = 2;

export function createCredentials(access: Access): Credentials {
  const http = new PlainAgent({ keepAlive: true, maxSockets: CONNECTIONS_PER_TARGET });
  let secure: { agent: TlsAgent; key: string } | null = null;

  async function tlsOptions(): Promise<AgentOptions> {
    const { tls } = access;
    const [ca, cert, key] = [await readSecret(tls.ca), await readSecret(tls.cert), await readSecret(tls.key)];
    return {
      ...(ca === undefined ? {} : { ca }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
      ...(tls.serverName === null ? {} : { servername: tls.serverName }),
      rejectUnauthorized: !tls.isUnchecked,
    };
  }

  return {
    async authorization() {
      const { basic, token } = access;
      if (token) return `${token.type} ${(await readSecret(token.credentials)) ?? ""}`;
      if (!basic) return null;
      const pair = `${(await readSecret(basic.username)) ?? ""}:${(await readSecret(basic.password)) ?? ""}`;
      return `Basic ${Buffer.from(pair).toString("base64")}`;
    },
    async agents() {
      const options = await tlsOptions();
      const key = JSON.stringify(options);
      if (secure?.key !== key) {
        secure?.agent.destroy();
        const agent = new TlsAgent({ keepAlive: true, maxSockets: CONNECTIONS_PER_TARGET, ...options });
        secure = { agent, key };
      }
      return { http, https: secure.agent };
    },
    close() {
      http.destroy();
      secure?.agent.destroy();
    },
  };
}
