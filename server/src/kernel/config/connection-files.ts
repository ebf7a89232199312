import type { ConnectionConfig } from "@mainstay/api";
import { locateSource } from "./channel-files.ts";

/**
 * Settings of a connection whose files are named by absolute paths; `locate` hears in which key they stand.
 */
export function locateConnectionFiles(
  { headers, basicAuth, authorization, tlsConfig }: ConnectionConfig,
  locate: (key: string, file: string) => string,
): ConnectionConfig {
  const locateIn = (key: string) => (file: string) => locate(key, file);
  const locateTls = (key: "caFile" | "certFile" | "keyFile") => {
    const file = tlsConfig[key];
    return file === null ? null : locate(`tlsConfig.${key}`, file);
  };
  return {
    headers: Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [
        name,
        typeof value === "string" ? value : locateSource(value, locateIn("headers")),
      ]),
    ),
    basicAuth: basicAuth && {
      ...basicAuth,
      password: locateSource(basicAuth.password, locateIn("basicAuth")),
    },
    authorization: authorization && {
      ...authorization,
      credentials: locateSource(authorization.credentials, locateIn("authorization")),
    },
    tlsConfig: {
      ...tlsConfig,
      caFile: locateTls("caFile"),
      certFile: locateTls("certFile"),
      keyFile: locateTls("keyFile"),
    },
  };
}
