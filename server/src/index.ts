import { fileURLToPath } from "node:url";

/** What the command line needs of the server without starting it; light to import. */
export { checkConfig, describeConfig, loadConfig, runtimeDirectoryFor } from "./kernel/config/index.ts";
export type { LoadedConfig } from "./kernel/config/index.ts";
export { packRelease } from "./core/services/archive-pack.ts";
export { digestOf, type TreeEntry } from "./core/services/domain/digest.ts";
export { readSourceTree } from "./core/services/release-tree.ts";
export { chooseDataDirectory } from "./kernel/database/embedded/reachable.ts";

/** The server process: `node SERVER_ENTRY [--config <file>]`. */
export const SERVER_ENTRY = fileURLToPath(new URL("./main.ts", import.meta.url));
