import type { ParentOptions } from "@mainstay/agent";
import type { PlatformConfig } from "@mainstay/api";

/** What the parent has to know of the configuration. */
export function parentOptions(
  { proxy, agent }: PlatformConfig,
  place: Pick<ParentOptions, "dataDirectory" | "runtimeDirectory" | "server">,
): ParentOptions {
  const { host, port, workers, engine, trustedProxies, tls, drainTimeout: drainTimeoutMs } = proxy;
  const [first, last] = agent.portRange;
  return {
    ...place,
    proxy: {
      ...{ host, port, workers, engine, trustedProxies, drainTimeoutMs, limits: limitsOf(proxy) },
      ...(tls.port === null ? {} : { tls: { host, port: tls.port } }),
    },
    agent: {
      ports: { first, last },
      ...(agent.containerSocket === null ? {} : { containerSocket: agent.containerSocket }),
    },
  };
}

function limitsOf(proxy: PlatformConfig["proxy"]): ParentOptions["proxy"]["limits"] {
  return {
    bodyBytes: proxy.bodyLimit,
    headerBytes: proxy.headerLimit,
    headerCount: proxy.headerCount,
    headerTimeoutMs: proxy.headerTimeout,
    bodyTimeoutMs: proxy.bodyTimeout,
    connections: proxy.connectionLimit,
    held: proxy.holdLimit,
  };
}
