import { randomBytes } from "node:crypto";
import { accessSync, constants, mkdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { TestProject } from "vitest/node";
import pg from "pg";
import { createSystemClock } from "../../server/src/kernel/clock.ts";
import { startEmbeddedPostgres } from "../../server/src/kernel/database/embedded/start.ts";
import { migrate } from "../../server/src/kernel/database/index.ts";
import type { Log } from "../../server/src/kernel/log.ts";
import { ROOMS } from "../../server/src/rooms.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** Connection parameters of the PostgreSQL that the tests share. */
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
  shared_buffers: "128MB",
  // Many clones come and go: no checkpoint in the middle of a test.
  max_wal_size: "4GB",
};
const SILENT: Log = { debug() {}, info() {}, warn() {}, error() {}, child: () => SILENT };

/** vitest's globalSetup: one PostgreSQL for the run, in memory where possible, and a template with every table. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const home = path.join(fastestDirectory(), `mainstay-test-${process.pid}-${randomBytes(4).toString("hex")}`);
  mkdirSync(home, { recursive: true, mode: 0o711 });
  const postgres = await startEmbeddedPostgres({
    dataDirectory: path.join(home, "data"),
    runtimeDirectory: path.join(home, "run"),
    log: SILENT,
    clock: createSystemClock(),
    settings: SETTINGS,
  });
  // The last resort when the run dies without a teardown.
  const kill = (): void => void process.kill(postgres.pid(), "SIGQUIT");
  process.once("exit", kill);
  const { host, user } = postgres.connection;
  await createTemplate({ host, user });
  project.provide("postgres", { host, user, template: TEMPLATE });

  return async () => {
    process.off("exit", kill);
    await postgres.stop();
    rmSync(home, { recursive: true, force: true });
  };
}

async function createTemplate(server: { host: string; user: string }): Promise<void> {
  const administrator = new pg.Client({ ...server, database: "postgres" });
  await administrator.connect();
  await administrator.query(`create database ${TEMPLATE}`);
  const pool = new pg.Pool({ ...server, database: TEMPLATE });
  await migrate({ pool, rooms: ROOMS, log: SILENT });
  await pool.end();
  await administrator.query(`alter database ${TEMPLATE} with is_template true allow_connections false`);
  await administrator.end();
}

function fastestDirectory(): string {
  try {
    accessSync("/dev/shm", constants.W_OK);
    return "/dev/shm";
  } catch {
    return tmpdir();
  }
}
