import { flushCompileCache } from "node:module";
import { ParentError, type ParentOptions } from "./parent/parent-options.ts";
import { startParent, type Parent } from "./parent/start-parent.ts";
import { endIfCompiling } from "./system/compile-ahead.ts";
import { createLog } from "./system/log.ts";

/** Entry of the parent. Exit codes: 0 stopped, 1 stopped by force, 2 could not start. */
endIfCompiling();
const log = createLog("parent", (line) => process.stderr.write(line), process.stderr.isTTY);

async function start(): Promise<Parent> {
  const text = process.env["MAINSTAY_PARENT"] ?? process.argv[2] ?? "{}";
  // May hold secrets of the server: its children must not find it in their environment.
  delete process.env["MAINSTAY_PARENT"];
  try {
    return await startParent(JSON.parse(text) as ParentOptions, log);
  } catch (error) {
    if (!(error instanceof ParentError)) throw error;
    log.error({ code: error.code, ...error.params }, error.message);
    process.exit(2);
  }
}

const parent = await start();
let isStopping = false;

function onSignal(): void {
  const [act, code] = isStopping ? [parent.force, 1] : [parent.stop, 0];
  isStopping = true;
  act().then(
    () => process.exit(code),
    (error: unknown) => {
      log.error({ error: String(error) }, "stopping failed");
      process.exit(1);
    },
  );
}

process.on("SIGTERM", onSignal);
process.on("SIGINT", onSignal);
flushCompileCache();
