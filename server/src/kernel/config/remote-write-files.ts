import type { RemoteWriteConfig } from "@mainstay/api";
import { locateSource } from "./channel-files.ts";

/** A receiver of remote-write whose files are named by absolute paths. */
export function locateRemoteFiles(
  remote: RemoteWriteConfig,
  locate: (file: string) => string,
): RemoteWriteConfig {
  const { basicAuth, authorization, headers, tlsConfig } = remote;
  const { caFile, certFile, keyFile } = tlsConfig;
  return {
    ...remote,
    basicAuth: basicAuth && { ...basicAuth, password: locateSource(basicAuth.password, locate) },
    authorization: authorization && {
      ...authorization,
      credentials: locateSource(authorization.credentials, locate),
    },
    headers: Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [
        name,
        typeof value === "string" ? value : locateSource(value, locate),
      ]),
    ),
    tlsConfig: {
      ...tlsConfig,
      caFile: caFile && locate(caFile),
      certFile: certFile && locate(certFile),
      keyFile: keyFile && locate(keyFile),
    },
  };
}
