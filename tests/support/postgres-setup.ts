import { spawn } from "node:child_process";
import path from "node:path";
import pg from "pg";
import type { TestProject } from "vitest/node";
import { createSystemClock } from "../../server/src/kernel/clock.ts";
import { startEmbeddedPostgres } from "../../server/src/kernel/database/embedded/start.ts";
import { migrate } from "../../server/src/kernel/database/index.ts";
import { ROOMS } from "../../server/src/rooms.ts";
import { silentLog } from "./log.ts";
import { createTemporaryDirectory } from "./temporary.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** Where the PostgreSQL is that the tests share, and the database they clone. */
    postgres: { host: string; user: string; template: string };
  }
}

const TEMPLATE = "mainstay_template";
/** Nothing here outlives the run, so nothing has to reach a disk. */
const SETTINGS = {
  fsync: "off",
  synchronous_commit: "off",
  full_page_writes: "off",
  max_connections: "200",
  // Databases come and go by the dozen: no checkpoint for the sake of the log's size.
  max_wal_size: "4GB",
};

/**
 * vitest's globalSetup: one PostgreSQL for the run, in
 * memory where possible, and a template with every table.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const home = createTemporaryDirectory();
  const postgres = await startEmbeddedPostgres({
    dataDirectory: path.join(home.path, "data"),
    runtimeDirectory: path.join(home.path, "run"),
    log: silentLog,
    clock: createSystemClock(),
    settings: SETTINGS,
  });
  const dismissUndertaker = hireUndertaker(postgres.pid(), home.path);
  const teardown = async (): Promise<void> => {
    await postgres.stop();
    home.remove();
    dismissUndertaker();
  };

  const { host, user } = postgres.connection;
  try {
    await createTemplate({ host, user });
  } catch (error) {
    await teardown();
    throw error;
  }
  project.provide("postgres", { host, user, template: TEMPLATE });
  return teardown;
}

/** A process that waits for the end of this one, however it comes, and clears away what it left behind. */
function hireUndertaker(pid: number, home: string): () => void {
  const script = 'read -r _ || { kill -QUIT "$1"; sleep 1; rm -rf "$2"; }';
  const undertaker = spawn("sh", ["-c", script, "undertaker", String(pid), home], {
    stdio: ["pipe", "ignore", "ignore"],
    detached: true,
  });
  undertaker.unref();
  return () => undertaker.stdin.end("dismissed\n");
}

async function createTemplate(server: { host: string; user: string }): Promise<void> {
  const administrator = new pg.Client({ ...server, database: "postgres" });
  const pool = new pg.Pool({ ...server, database: TEMPLATE });
  await administrator.connect();
  try {
    await administrator.query(`create database ${TEMPLATE}`);
    await migrate({ pool, rooms: ROOMS, log: silentLog });
    await pool.end();
    await administrator.query(`alter database ${TEMPLATE} with is_template true allow_connections false`);
  } finally {
    if (!pool.ended) await pool.end();
    await administrator.end();
  }
}
