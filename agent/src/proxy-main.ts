import { startWorker } from "./proxy/worker.ts";
import type { WorkerOptions } from "./proxy/worker-protocol.ts";
import { runChild } from "./system/child-process.ts";
import { endIfCompiling } from "./system/compile-ahead.ts";

/** Entry of a proxy worker; started by the parent with its options as one JSON argument. */
endIfCompiling();
const worker = await startWorker(JSON.parse(process.argv[2] ?? "{}") as WorkerOptions);
runChild({
  stop: () => worker.stop(),
  orphaned: () => worker.untilSucceeded(),
  succeeded: (ask) => worker.handOver(ask),
});
