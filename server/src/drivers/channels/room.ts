import { hostname } from "node:os";
import type { PlatformConfig } from "@mainstay/api";
import type { Metrics } from "../../kernel/metrics.ts";
import { createBeat, type BeatDependencies } from "./beat.ts";
import { createChannels, type ChannelsDependencies } from "./channels.ts";
import { createChannelMetrics } from "./metrics.ts";
import { createSecretReader } from "./secret-source.ts";

type Given = "channels" | "readSecret" | "metrics" | "hostName";

export interface ChannelsRoomDependencies extends Omit<ChannelsDependencies, Given> {
  config: Pick<PlatformConfig, "channels" | "beat">;
  env: Readonly<Record<string, string | undefined>>;
  checkHealth: BeatDependencies["checkHealth"];
  metrics: Metrics;
}

/** The room as it runs: with the configuration and the environment of the server. */
export function createChannelsRoom(dependencies: ChannelsRoomDependencies) {
  const { config, env } = dependencies;
  const shared = {
    ...dependencies,
    readSecret: createSecretReader(env),
    hostName: hostname(),
    metrics: createChannelMetrics(dependencies.metrics),
  };
  return {
    channels: createChannels({ ...shared, channels: config.channels }),
    beat: createBeat({ ...shared, config: config.beat }),
  };
}
