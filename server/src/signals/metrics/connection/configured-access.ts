import type { ConnectionConfig, SecretSource } from "@mainstay/api";
import type { Access, Secret } from "./access.ts";

export type Env = Readonly<Record<string, string | undefined>>;

/** With what another server is asked, by the configuration. */
export function configuredAccess(config: ConnectionConfig, env: Env): Access {
  const { headers, basicAuth, authorization, tlsConfig: tls } = config;
  const secret = (source: SecretSource) => secretOf(source, env);
  const file = (path: string | null) => (path === null ? null : { file: path });
  return {
    headers: Object.entries(headers).map(([name, value]) => [
      name,
      typeof value === "string" ? { text: value } : secret(value),
    ]),
    basic: basicAuth && { username: { text: basicAuth.username }, password: secret(basicAuth.password) },
    token: authorization && { type: authorization.type, credentials: secret(authorization.credentials) },
    tls: {
      ...{ ca: file(tls.caFile), cert: file(tls.certFile), key: file(tls.keyFile) },
      ...{ serverName: tls.serverName, isUnchecked: tls.insecureSkipVerify },
    },
  };
}

function secretOf({ env: name, file }: SecretSource, env: Env): Secret {
  if (file !== undefined) return { privateFile: file };
  const text = env[name ?? ""] ?? "";
  return text === "" ? { unsetVariable: name ?? "" } : { text };
}
