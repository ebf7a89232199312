/**
 * A server that sends messages until it is killed: `node
 * channels-server.ts <database URL> <channels as JSON>`.
 */
import { createSystemClock } from "../../server/src/kernel/clock.ts";
import { openDatabase } from "../../server/src/kernel/database/index.ts";
import { startChannelsServer } from "./channels.ts";
import { silentLog } from "./log.ts";

const [url, channels = "{}"] = process.argv.slice(2);
const unused = "/nonexistent";
const directories = { dataDirectory: unused, runtimeDirectory: unused };
const database = await openDatabase({ url, ...directories, clock: createSystemClock(), log: silentLog });
const { HOOK_SECRET = "" } = process.env;
await startChannelsServer({ database, channels: JSON.parse(channels), env: { HOOK_SECRET } });
process.stdout.write("started\n");
