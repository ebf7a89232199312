import { fileURLToPath } from "node:url";

/** What the command line needs of the server without starting it; light to import. */
export {
  checkConfig,
  CONFIG_FILE,
  describeConfig,
  loadConfig,
  runtimeDirectoryFor,
} from "./kernel/config/index.ts";
export type { LoadedConfig } from "./kernel/config/index.ts";
export { chooseDataDirectory } from "./kernel/database/embedded/reachable.ts";

/** The server process: `node SERVER_ENTRY [--config <file>]`. */
export const SERVER_ENTRY = fileURLToPath(new URL("./main.ts", import.meta.url));
