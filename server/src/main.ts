import { randomBytes } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { enableCompileCache, flushCompileCache } from "node:module";
import { parseArgs } from "node:util";
import { endIfCompiling } from "@mainstay/agent";
import { AppError } from "@mainstay/api";
import { compose } from "./compose.ts";
import { createKeySource, openKeys } from "./core/secrets/index.ts";
import { createActors, stopOnSignals } from "./kernel/actors.ts";
import { createSystemClock } from "./kernel/clock.ts";
import { loadConfig, runtimeDirectoryFor } from "./kernel/config/index.ts";
import { migrate, openDatabase } from "./kernel/database/index.ts";
import { createLog } from "./kernel/log.ts";
import { ROOMS } from "./rooms.ts";
import { VERSION } from "./version.ts";

const EXIT_FAILED = 1;
const EXIT_CONFIGURATION = 2;
/** A part may use the whole of its own time; the deadline around it comes later. */
const STOP_MARGIN_MS = 1000;

enableCompileCache();
endIfCompiling();
const { values } = parseArgs({ options: { config: { type: "string" } } });
const clock = createSystemClock();

try {
  await serve();
} catch (error) {
  process.stderr.write(`${explain(error)}\n`);
  process.exit(error instanceof AppError && error.status === 422 ? EXIT_CONFIGURATION : EXIT_FAILED);
}

/** Reads the configuration, opens the database, builds the house, runs it until it is told to stop. */
async function serve(): Promise<void> {
  const startedAtMs = clock.monotonicMs();
  const { config } = await loadConfig({ file: values.config, env: process.env, cwd: process.cwd() });
  const log = createLog({ clock, level: config.log.level, format: config.log.format });
  await mkdir(config.dataDirectory, { recursive: true });
  const uid = process.getuid?.() ?? 0;
  const runtimeDirectory = await runtimeDirectoryFor({
    dataDirectory: config.dataDirectory,
    env: process.env,
    uid,
  });
  const { dataDirectory } = config;
  const database = await openDatabase({
    url: config.database.url,
    dataDirectory,
    runtimeDirectory,
    log,
    clock,
  });
  await migrate({ pool: database.pool, rooms: [...ROOMS], log, version: VERSION });
  const source = createKeySource({ settings: config.secrets, dataDirectory, random: randomBytes });
  const keys = await openKeys({ db: database.db, clock, source });
  const house = compose({ config, database, runtimeDirectory, keys, env: process.env, clock, log });
  const setupLink = await house.identity.accounts.ensureSetupLink();
  // What a service manager keeps of the output is no place for a secret; it lies in keys/setup.link.
  const isKept = process.env["INVOCATION_ID"] !== undefined && !process.stdout.isTTY;
  if (setupLink !== null && !isKept)
    process.stdout.write(
      `\nNobody can log in yet. Run 'mainstay setup', or open this link, shown this once:\n${setupLink}\n\n`,
    );
  // For somebody's eyes alone: a file that keeps the output would keep the key.
  if (keys.recoveryKey !== null && process.stdout.isTTY)
    process.stdout.write(recoveryNote(keys.recoveryKey, source.name));
  const stopTimeoutMs = config.server.shutdownTimeout + STOP_MARGIN_MS;
  const actors = createActors(house.parts, { clock, log, stopTimeoutMs });
  process.on("uncaughtException", (error) => {
    // A broken invariant: what is in memory cannot be trusted
    // any more. Whoever watches this process starts it again.
    log.error({ error }, "uncaught exception");
    log.flush();
    process.exit(EXIT_FAILED);
  });
  stopOnSignals(actors, process, () => process.exit(EXIT_FAILED));
  // Started by the parent, it ends with it: nobody else would ever stop it.
  const stopAlone = () => void actors.stop("the parent is gone");
  process.once("disconnect", stopAlone);
  await actors.start();
  if (process.send && !process.connected) stopAlone();
  const tookMs = Math.round(clock.monotonicMs() - startedAtMs);
  log.info({ url: house.http.address(), database: database.description, tookMs }, "ready");
  flushCompileCache();
  const { failed } = await actors.stopped;
  log.flush();
  process.exit(failed.length > 0 ? EXIT_FAILED : 0);
}

function recoveryNote(key: string, where: string): string {
  return `The recovery key, shown this once. Without it or ${where} nobody can read the secrets again:\n${key}\n\n`;
}

function explain(error: unknown): string {
  if (!(error instanceof AppError))
    return error instanceof Error ? (error.stack ?? error.message) : String(error);
  const findings = error.errors.map(({ path, message }) => `\n  ${path}: ${message}`);
  return `error: ${error.message}${findings.join("")}\n  → ${error.remedy}`;
}
