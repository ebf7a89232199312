import type { KeeperConfig } from "@mainstay/api";
import type { CheckpointKeeper } from "../../core/audit/index.ts";
import { createChannelKeeper, type KeeperTools } from "./channel.ts";
import { createFileKeeper } from "./file.ts";
import { createWitnessKeeper } from "./witness.ts";

/** Every kind of keeper there is; its configuration stands in api/src/audit-file.ts. */
export function createKeepers(
  configs: Readonly<Record<string, KeeperConfig>>,
  tools: KeeperTools,
): Record<string, CheckpointKeeper> {
  return Object.fromEntries(
    Object.entries(configs).map(([name, config]) => [name, createKeeper(config, tools)]),
  );
}

function createKeeper(config: KeeperConfig, tools: KeeperTools): CheckpointKeeper {
  switch (config.kind) {
    case "file":
      return createFileKeeper(config);
    case "channel":
      return createChannelKeeper(config, tools);
    case "witness":
      return createWitnessKeeper(config);
  }
}
