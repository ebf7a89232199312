/**
 * A server that does nothing but keep its embedded PostgreSQL, to be started as
 * a process of its own and killed: `node embedded-server.ts <data directory>
 * <runtime directory>`. Prints one JSON line once it is ready, stops on SIGTERM.
 */
import { AppError } from "@mainstay/api";
import { createSystemClock } from "../../server/src/kernel/clock.ts";
import { startEmbeddedPostgres } from "../../server/src/kernel/database/embedded/start.ts";
import { silentLog } from "./log.ts";

const [, , dataDirectory = "", runtimeDirectory = ""] = process.argv;
const clock = createSystemClock();

try {
  const postgres = await startEmbeddedPostgres({ dataDirectory, runtimeDirectory, clock, log: silentLog });
  process.once("SIGTERM", () => void postgres.stop());
  console.log(JSON.stringify({ pid: postgres.pid(), origin: postgres.origin, ...postgres.connection }));
} catch (error) {
  console.log(JSON.stringify({ code: error instanceof AppError ? error.code : "", message: String(error) }));
}
