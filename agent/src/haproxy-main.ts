import { startKeeper } from "./haproxy/keeper.ts";
import type { KeeperOptions } from "./haproxy/keeper-options.ts";
import { runChild } from "./system/child-process.ts";
import { endIfCompiling } from "./system/compile-ahead.ts";
import { createLog } from "./system/log.ts";

/** Entry of the process that keeps HAProxy; started by the parent with its options as one JSON argument. */
endIfCompiling();
const log = createLog("haproxy", (line) => process.stderr.write(line), process.stderr.isTTY);
const keeper = await startKeeper(JSON.parse(process.argv[2] ?? "{}") as KeeperOptions, log);
runChild({ stop: () => keeper.stop(), orphaned: () => keeper.untilSucceeded() });
