import type { ParentOptions } from "@mainstay/agent";
import type { PlatformConfig } from "@mainstay/api";

/** What the parent has to know of the configuration. */
export function parentOptions(
  { proxy, agent }: PlatformConfig,
  place: Pick<ParentOptions, "dataDirectory" | "runtimeDirectory" | "server">,
): ParentOptions {
  const { host, port, workers, drainTimeout: drainTimeoutMs } = proxy;
  const [first, last] = agent.portRange;
  return { ...place, proxy: { host, port, workers, drainTimeoutMs }, agent: { ports: { first, last } } };
}
