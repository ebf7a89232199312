import path from "node:path";
import { AppError } from "@mainstay/api";
import type { Clock } from "../../clock.ts";
import type { Log } from "../../log.ts";
import { chooseAccount, type Account } from "./account.ts";
import { prepareBinaries } from "./binaries.ts";
import { makeDirectoryOf, openPassage, prepareCluster, refuseForeignCluster } from "./cluster.ts";

export interface EmbeddedOptions {
  dataDirectory: string;
  /** Holds the socket; its path must be short, as that of a UNIX socket may have 107 bytes. */
  runtimeDirectory: string;
  log: Log;
  clock: Clock;
  /** Replace or add to the settings of postgresql.conf. */
  settings?: Record<string, string>;
}

/** Where PostgreSQL runs, as whom, and by which command. */
export interface Place {
  cluster: string;
  logFile: string;
  socketDirectory: string;
  account: Account;
  command: string[];
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
  // Errors of statements reach whoever sent them; the file
  // is for the life of PostgreSQL itself, and stays small.
  log_min_messages: "log",
  log_checkpoints: "off",
} as const;

const SOCKET_PATH_LIMIT_BYTES = 107;

/** Makes or checks everything that has to be there before PostgreSQL can start. */
export async function preparePlace(options: EmbeddedOptions): Promise<Place> {
  const dataDirectory = path.resolve(options.dataDirectory);
  const cluster = path.join(dataDirectory, "postgres");
  const socketDirectory = path.join(path.resolve(options.runtimeDirectory), "postgres");
  refuseLongSocketPath(path.join(socketDirectory, ".s.PGSQL.5432"));
  const account = chooseAccount(cluster);
  refuseForeignCluster(cluster, account);
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
