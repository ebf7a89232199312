/**
 * A server as a process: `node rotating-server.ts <database URL> <data directory> <step>`. It carries on with
 * what rotation there is, and kills itself with SIGKILL before that step, counted in statements; 0: never.
 */
import { createSystemClock } from "../../server/src/kernel/clock.ts";
import { openDatabase } from "../../server/src/kernel/database/index.ts";
import { silentLog } from "./log.ts";
import { createSealingServer } from "./sealing-server.ts";

const [url = "", dataDirectory = "", step = "0"] = process.argv.slice(2);
const clock = createSystemClock();
const runtimeDirectory = "/nonexistent";
const database = await openDatabase({ url, dataDirectory, runtimeDirectory, log: silentLog, clock });
const server = await createSealingServer({ database, clock, dataDirectory });

/**
 * What a rotation reads, writes and commits; a packet of several statements is
 * one step, that of its last. The queue's own statements are none of its steps.
 */
const STEP = /^\s*(begin|start|commit)|\bsecrets\b|\bload\b/i;
const seen = new WeakSet<object>();
let left = Number(step) || Number.POSITIVE_INFINITY;

database.pool.on("acquire", (client) => {
  if (seen.has(client)) return;
  seen.add(client);
  const query: (...args: unknown[]) => unknown = client.query.bind(client);
  const counted = (...args: unknown[]): unknown => {
    if (STEP.test(textOf(args[0]))) left -= 1;
    if (left <= 0) process.kill(process.pid, "SIGKILL");
    return query(...args);
  };
  Object.assign(client, { query: counted });
});

/** A text, or a statement or packet that has one. */
function textOf(statement: unknown): string {
  if (typeof statement === "string") return statement;
  return typeof statement === "object" && statement !== null && "text" in statement
    ? String(statement.text)
    : "";
}

await server.start();
process.once("SIGTERM", () => void server.stop().then(() => process.exit(0)));
