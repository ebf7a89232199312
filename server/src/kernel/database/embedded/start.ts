import { spawn } from "node:child_process";
import { closeSync, openSync, renameSync, statSync } from "node:fs";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { AppError } from "@mainstay/api";
import type { Clock } from "../../clock.ts";
import type { Log } from "../../log.ts";
import { chooseAccount, type Account } from "./account.ts";
import { prepareBinaries } from "./binaries.ts";
import { CLUSTER_USER, makeDirectoryOf, openPassage, prepareCluster } from "./cluster.ts";
import { takeGuard, type Guard } from "./guard.ts";
import {
  findPostmaster,
  isRunning,
  isSameCommand,
  stopPostmaster,
  waitUntil,
  type Postmaster,
} from "./postmaster.ts";
import { childEnvironment, identity } from "./run-command.ts";

export interface EmbeddedOptions {
  dataDirectory: string;
  /** Holds the socket; its path must be short, as that of a UNIX socket may have 107 bytes. */
  runtimeDirectory: string;
  log: Log;
  clock: Clock;
  /** Replace or add to the settings of postgresql.conf. */
  settings?: Record<string, string>;
}

export interface EmbeddedPostgres {
  /** `host`, `user` and `database` of a connection. */
  connection: { host: string; user: string; database: string };
  /** How the PostgreSQL that serves now came to be. */
  origin: "started" | "adopted";
  pid: () => number;
  /** Stops PostgreSQL. Connections ought to be closed before. */
  stop(): Promise<void>;
}

/** Fits a machine with 1 GB of memory that runs other things too. */
const SETTINGS = {
  listen_addresses: "",
  unix_socket_permissions: "0700",
  max_connections: "60",
  shared_buffers: "64MB",
  max_wal_size: "512MB",
  jit: "off",
  // Three processes less; the other methods earn their keep on larger machines.
  io_method: "sync",
  timezone: "UTC",
  log_timezone: "UTC",
  // Errors of statements reach whoever sent them; the file is for the life of PostgreSQL itself, and stays small.
  log_min_messages: "log",
  log_checkpoints: "off",
} as const;

const SOCKET_PATH_LIMIT_BYTES = 107;
const LOG_SIZE_LIMIT_BYTES = 8 * 1024 ** 2;
/** Recovery after a crash replays at most max_wal_size. */
const READY_DEADLINE_MS = 120_000;
const RESTART_FIRST_DELAY_MS = 200;
const RESTART_LAST_DELAY_MS = 10_000;

interface Place {
  cluster: string;
  logFile: string;
  socketDirectory: string;
  account: Account;
  command: string[];
}

/**
 * Starts PostgreSQL on `<dataDirectory>/postgres`, making the cluster the first time, and keeps it running until
 * `stop`. One that a killed server left behind is taken over; one that another server uses is refused.
 */
export async function startEmbeddedPostgres(options: EmbeddedOptions): Promise<EmbeddedPostgres> {
  const { log, clock } = options;
  const place = await prepare(options);
  let running = await ensureRunning(place, clock);
  const origin = running.origin;
  const stopping = new AbortController();
  const kept = keepRunning();
  log.info({ pid: running.postmaster.pid, origin, account: place.account.name }, "embedded PostgreSQL ready");

  return {
    connection: { host: place.socketDirectory, user: CLUSTER_USER, database: CLUSTER_USER },
    origin,
    pid: () => running.postmaster.pid,
    async stop() {
      stopping.abort();
      await running.guard.release();
      await kept;
      await stopPostmaster(running.postmaster, clock);
    },
  };

  /** The guard's connection ends when PostgreSQL does, whether we started or adopted it. */
  async function keepRunning(): Promise<void> {
    for (;;) {
      await running.guard.ended;
      if (stopping.signal.aborted) return;
      log.error({ pid: running.postmaster.pid }, "embedded PostgreSQL went away");
      if (!(await restart())) return;
      log.info({ pid: running.postmaster.pid, origin: running.origin }, "embedded PostgreSQL is back");
    }
  }

  async function restart(): Promise<boolean> {
    for (let delayMs = RESTART_FIRST_DELAY_MS; ; delayMs = Math.min(delayMs * 2, RESTART_LAST_DELAY_MS)) {
      try {
        running = await ensureRunning(place, clock);
        return true;
      } catch (error) {
        log.error({ error, delayMs }, "embedded PostgreSQL could not be restarted");
      }
      const slept = await clock.sleep(delayMs, stopping.signal).then(
        () => true,
        () => false,
      );
      if (!slept) return false;
    }
  }
}

async function prepare(options: EmbeddedOptions): Promise<Place> {
  const dataDirectory = path.resolve(options.dataDirectory);
  const cluster = path.join(dataDirectory, "postgres");
  const socketDirectory = path.join(path.resolve(options.runtimeDirectory), "postgres");
  refuseLongSocketPath(path.join(socketDirectory, ".s.PGSQL.5432"));
  const account = chooseAccount(cluster);
  await openPassage(dataDirectory, account);
  await openPassage(path.dirname(socketDirectory), account);
  await makeDirectoryOf(account, socketDirectory);
  const binaries = await prepareBinaries(dataDirectory, account);
  await prepareCluster(cluster, account, binaries);
  const settings = { ...SETTINGS, unix_socket_directories: socketDirectory, ...options.settings };
  const parameters = Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  const command = [binaries.postgres, "-D", cluster, ...parameters];
  return { cluster, logFile: path.join(dataDirectory, "postgres.log"), socketDirectory, account, command };
}

function refuseLongSocketPath(socketPath: string): void {
  const sizeBytes = Buffer.byteLength(socketPath);
  if (sizeBytes <= SOCKET_PATH_LIMIT_BYTES) return;
  const reason = `the path of its UNIX socket would have ${sizeBytes} bytes, and at most ${SOCKET_PATH_LIMIT_BYTES} are possible`;
  throw new AppError("DATABASE_DIRECTORY", { path: socketPath, reason });
}

interface Running {
  postmaster: Postmaster;
  guard: Guard;
  origin: "started" | "adopted";
}

async function ensureRunning(place: Place, clock: Clock): Promise<Running> {
  const orphan = await findPostmaster(place.cluster);
  if (!orphan) return startAnew(place, clock);
  const guard = await takeGuard(orphan.socketDirectory, place.cluster);
  if (guard && isSameCommand(orphan.command, place.command))
    return { postmaster: orphan, guard, origin: "adopted" };
  await guard?.release();
  await stopPostmaster(orphan, clock);
  return startAnew(place, clock);
}

async function startAnew(place: Place, clock: Clock): Promise<Running> {
  const postmaster = await spawnPostgres(place);
  let guard: Guard | null = null;
  const isDone = async (): Promise<boolean> => {
    if (!isRunning(postmaster)) return true;
    guard = await takeGuard(place.socketDirectory, place.cluster);
    return guard !== null;
  };
  await waitUntil(isDone, READY_DEADLINE_MS, clock);
  if (guard) return { postmaster, guard, origin: "started" };
  if (isRunning(postmaster)) await stopPostmaster(postmaster, clock);
  const reason = `the embedded PostgreSQL did not start: ${await lastWords(place.logFile)} (see ${place.logFile})`;
  throw new AppError("DATABASE_UNREACHABLE", { reason });
}

/** In a session of its own, with its log in a file: neither Ctrl-C nor the death of this process reaches it. */
async function spawnPostgres(place: Place): Promise<Postmaster> {
  const [program = "", ...parameters] = [...place.account.wrapper, ...place.command];
  const logHandle = openLog(place.logFile);
  try {
    const child = spawn(program, parameters, {
      cwd: "/",
      env: childEnvironment(),
      stdio: ["ignore", logHandle, logHandle],
      detached: true,
      ...identity(place.account),
    });
    child.unref();
    await new Promise((resolve, reject) => child.once("spawn", resolve).once("error", reject));
    const { cluster, command, socketDirectory } = place;
    return { pid: child.pid ?? 0, cluster, command, socketDirectory };
  } finally {
    closeSync(logHandle);
  }
}

function openLog(file: string): number {
  const sizeBytes = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  if (sizeBytes > LOG_SIZE_LIMIT_BYTES) renameSync(file, `${file}.1`);
  return openSync(file, "a", 0o640);
}

async function lastWords(file: string): Promise<string> {
  const lines = (await readFile(file, "utf8").catch(() => "")).trim().split("\n");
  return lines.findLast((line) => /FATAL|PANIC|could not/.test(line)) ?? lines.at(-1) ?? "no reason given";
}
