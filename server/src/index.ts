import { fileURLToPath } from "node:url";

/** What the command line needs of the server without starting it; light to import. */
export {
  checkConfig,
  CONFIG_FILE,
  describeConfig,
  loadConfig,
  runtimeDirectoryFor,
  runtimePathFor,
} from "./kernel/config/index.ts";
export type { CheckedConfig, LoadedConfig } from "./kernel/config/index.ts";
export { digestOf as digestOfSalted, leafOf, type StoredEntry } from "./core/audit/domain/leaf.ts";
export { readKeyFile, usualKeyFile, writeKeyFile } from "./core/secrets/key-file.ts";
export { packRelease } from "./core/services/archive-pack.ts";
export { digestOf, type TreeEntry } from "./core/services/domain/digest.ts";
export { readSourceTree } from "./core/services/release-tree.ts";
export { findQueryProblems } from "./signals/gates/file-problems.ts";
export { chooseDataDirectory } from "./kernel/database/embedded/reachable.ts";

/** The server process: `node SERVER_ENTRY [--config <file>]`. */
export const SERVER_ENTRY = fileURLToPath(new URL("./main.ts", import.meta.url));

/** The thread of the metrics store; as a process it only compiles its modules. */
export const METRICS_THREAD_ENTRY = fileURLToPath(
  new URL("./signals/metrics/thread/main.ts", import.meta.url),
);

/** `node BREAK_GLASS_ENTRY`, see there: a one-time link for who holds the machine. */
export const BREAK_GLASS_ENTRY = fileURLToPath(new URL("./break-glass.ts", import.meta.url));

/** Where browsers find a server of this configuration. */
export { publicUrlOf } from "./public-url.ts";

/** `node DATABASE_CHECK_ENTRY`, a URL on standard input: one JSON document on whether it can be used. */
export const DATABASE_CHECK_ENTRY = fileURLToPath(new URL("./check-database.ts", import.meta.url));
