export { describeConfig, type ConfigRow } from "./describe-config.ts";
export { PLATFORM_KEYS, type PlatformKey } from "./keys.ts";
export type { ConfigSource } from "./layers.ts";
export {
  checkConfig,
  CONFIG_FILE,
  loadConfig,
  type CheckedConfig,
  type ConfigRequest,
  type LoadedConfig,
} from "./load-config.ts";
export { runtimeDirectoryFor, runtimePathFor, type RuntimeDirectoryRequest } from "./runtime-directory.ts";
