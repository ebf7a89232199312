import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import pg from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { waitUntil } from "../../../../../tests/support/wait-until.ts";
import { silentLog } from "../../../../../tests/support/log.ts";
import { createTemporaryDirectory } from "../../../../../tests/support/temporary.ts";
import { createSystemClock } from "../../clock.ts";
import type { Log } from "../../log.ts";
import { unreachableFor } from "./reachable.ts";
import { startEmbeddedPostgres, type EmbeddedPostgres } from "./start.ts";

const SERVER = fileURLToPath(new URL("../../../../../tests/support/embedded-server.ts", import.meta.url));
const NOBODY = { uid: 65_534, gid: 65_534 };
const IS_ROOT = process.getuid?.() === 0;
const CAN_OTHERS_RUN_US = IS_ROOT && unreachableFor(path.dirname(SERVER), NOBODY.uid, NOBODY.gid) === null;

interface Ready {
  pid: number;
  origin: string;
  host: string;
  user: string;
  database: string;
}

/** Holds a cluster that was made and stopped: copying it takes a tenth of making one. */
let seed: ReturnType<typeof createTemporaryDirectory>;
let home: ReturnType<typeof createTemporaryDirectory>;
let dataDirectory: string;
let runtimeDirectory: string;
let started: EmbeddedPostgres[];
let servers: ChildProcess[];

beforeAll(async () => {
  seed = createTemporaryDirectory();
  dataDirectory = path.join(seed.path, "data");
  runtimeDirectory = path.join(seed.path, "run");
  started = [];
  await (await start()).stop();
});

afterAll(() => seed.remove());

beforeEach(() => {
  home = createTemporaryDirectory();
  dataDirectory = path.join(home.path, "data");
  runtimeDirectory = path.join(home.path, "run");
  started = [];
  servers = [];
  spawnSync("cp", ["-a", path.join(seed.path, "data"), dataDirectory]);
});

afterEach(async () => {
  for (const postgres of started) await postgres.stop();
  for (const server of servers) server.kill("SIGKILL");
  killLeftover();
  home.remove();
});

/** So that a failing test leaves nothing behind either. */
function killLeftover(): void {
  const lockFile = path.join(dataDirectory, "postgres", "postmaster.pid");
  const pid = existsSync(lockFile) ? Number(readFileSync(lockFile, "utf8").split("\n")[0]) : 0;
  if (pid > 0 && pid !== process.pid && isAlive(pid)) process.kill(pid, "SIGQUIT");
}

async function start(
  options: { settings?: Record<string, string>; log?: Log } = {},
): Promise<EmbeddedPostgres> {
  const clock = createSystemClock();
  const postgres = await startEmbeddedPostgres({
    dataDirectory,
    runtimeDirectory,
    clock,
    log: silentLog,
    ...options,
  });
  started.push(postgres);
  return postgres;
}

/** Starts a server of its own process; answers what it printed. */
async function startServer(options: { uid?: number; gid?: number; detached?: boolean } = {}): Promise<Ready> {
  const server = spawn(process.execPath, [SERVER, dataDirectory, runtimeDirectory], {
    stdio: ["ignore", "pipe", "inherit"],
    cwd: "/",
    ...options,
  });
  servers.push(server);
  const [line] = (await server.stdout.take(1).toArray()) as Buffer[];
  return JSON.parse(String(line)) as Ready;
}

async function end(server: ChildProcess | undefined, signal: NodeJS.Signals): Promise<void> {
  const gone = new Promise((resolve) => server?.once("exit", resolve));
  server?.kill(signal);
  await gone;
}

async function query(connection: pg.ClientConfig, text: string): Promise<unknown[]> {
  const client = new pg.Client(connection);
  client.on("error", () => {});
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>({ text })).rows;
  } finally {
    await client.end();
  }
}

function isAlive(pid: number): boolean {
  return (
    existsSync(`/proc/${pid}/status`) && !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"))
  );
}

/** A process that ends has no command any more before it has no number. */
async function untilGone(pid: number): Promise<void> {
  await waitUntil(`process ${pid} to be gone`, () => !isAlive(pid));
}

function uidOf(pid: number): number {
  return Number(/^Uid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);
}

describe("a life in order", () => {
  test("the first start makes the cluster, and what was committed is there after the next one", async () => {
    rmSync(dataDirectory, { recursive: true });
    const first = await start();
    await query(first.connection, "create table kept as select 42 as answer");
    await first.stop();
    const second = await start();
    expect(second.origin).toBe("started");
    expect(await query(second.connection, "select answer from kept")).toEqual([{ answer: 42 }]);
  });

  test("text is sorted and folded the same way on every machine", async () => {
    const { connection } = await start();
    const [row] = (await query(
      connection,
      `select datlocprovider as provider, datlocale as locale, upper('äß') as upper
       from pg_database where datname = current_database()`,
    )) as [Record<string, string>];
    expect(row).toEqual({ provider: "b", locale: "C.UTF-8", upper: "Äß" });
  });

  test("it listens on a UNIX socket that only its account may use, and nowhere else", async () => {
    const { connection } = await start();
    expect(await query(connection, "show listen_addresses")).toEqual([{ listen_addresses: "" }]);
    expect(statSync(connection.host).mode & 0o777).toBe(0o700);
  });

  test("stopping leaves no process and no socket", async () => {
    const postgres = await start();
    const pid = postgres.pid();
    await postgres.stop();
    await untilGone(pid);
    expect(readdirSync(postgres.connection.host)).toEqual([]);
  });

  test("the rest of an initdb that was interrupted is cleared away", async () => {
    rmSync(dataDirectory, { recursive: true });
    mkdirSync(path.join(dataDirectory, "postgres.new-dead", "base"), { recursive: true });
    await start();
    expect(readdirSync(dataDirectory)).toContain("postgres");
    expect(readdirSync(dataDirectory)).not.toContain("postgres.new-dead");
  });
});

describe("after a violent end", () => {
  test("PostgreSQL outlives the kill of its server, and the next one adopts it as it runs", async () => {
    const ready = await startServer();
    await query(ready, "create table kept as select 42 as answer");
    await end(servers[0], "SIGKILL");
    expect(isAlive(ready.pid)).toBe(true);
    const postgres = await start();
    expect(postgres.origin).toBe("adopted");
    expect(postgres.pid()).toBe(ready.pid);
    expect(await query(postgres.connection, "select answer from kept")).toEqual([{ answer: 42 }]);
    await postgres.stop();
    await untilGone(ready.pid);
  });

  test("an orphan with other settings is stopped in order and started anew", async () => {
    const ready = await startServer();
    await end(servers[0], "SIGKILL");
    const postgres = await start({ settings: { work_mem: "8MB" } });
    expect(postgres.origin).toBe("started");
    await untilGone(ready.pid);
    expect(await query(postgres.connection, "show work_mem")).toEqual([{ work_mem: "8MB" }]);
  });

  test("an orphan whose socket was cleared away is started anew", async () => {
    const ready = await startServer();
    await end(servers[0], "SIGKILL");
    rmSync(ready.host, { recursive: true });
    const postgres = await start();
    expect(postgres.origin).toBe("started");
    await untilGone(ready.pid);
  });

  test("a lock file that names somebody else's process does not keep PostgreSQL from starting", async () => {
    const first = await start();
    await first.stop();
    const lockFile = path.join(dataDirectory, "postgres", "postmaster.pid");
    writeFileSync(lockFile, `${process.pid}\n${dataDirectory}/postgres\n0\n5432\n\n\n`);
    const second = await start();
    expect(second.origin).toBe("started");
  });

  test("PostgreSQL itself is started again when it is killed", async () => {
    const back = Promise.withResolvers<void>();
    const log: Log = { ...silentLog, info: (_, message) => message.endsWith("is back") && back.resolve() };
    const postgres = await start({ log });
    await query(postgres.connection, "create table kept as select 42 as answer");
    process.kill(postgres.pid(), "SIGKILL");
    await back.promise;
    expect(await query(postgres.connection, "select answer from kept")).toEqual([{ answer: 42 }]);
  });

  test("Ctrl-C in the terminal of the server does not reach PostgreSQL", async () => {
    const ready = await startServer({ detached: true });
    const group = servers[0]?.pid ?? 0;
    const gone = new Promise((resolve) => servers[0]?.once("exit", resolve));
    process.kill(-group, "SIGINT");
    await gone;
    expect(await query(ready, "select 1 as one")).toEqual([{ one: 1 }]);
    expect((await start()).origin).toBe("adopted");
  });
});

describe("what is refused", () => {
  test("a second server on the same data, while the first one goes on", async () => {
    const first = await start();
    await expect(start()).rejects.toMatchObject({ code: "ALREADY_RUNNING" });
    expect(await query(first.connection, "select 1 as one")).toEqual([{ one: 1 }]);
  });

  test("a cluster of another major version", async () => {
    const cluster = path.join(dataDirectory, "postgres");
    writeFileSync(path.join(cluster, "PG_VERSION"), "15\n");
    const expected = {
      code: "DATABASE_CLUSTER_VERSION",
      params: { path: cluster, found: "15", expected: 18 },
    };
    await expect(start()).rejects.toMatchObject(expected);
  });

  test("a runtime directory whose socket path would be too long", async () => {
    runtimeDirectory = path.join(home.path, "x".repeat(100));
    await expect(start()).rejects.toMatchObject({ code: "DATABASE_DIRECTORY" });
  });

  test("settings that PostgreSQL does not take, with its own words", async () => {
    const refused = start({ settings: { shared_buffers: "nonsense" } });
    await expect(refused).rejects.toMatchObject({ code: "DATABASE_UNREACHABLE" });
    await expect(refused).rejects.toThrow(/shared_buffers/);
  });
});

describe.runIf(IS_ROOT)("started by root", () => {
  test("PostgreSQL and its files belong to an unprivileged account", async () => {
    const postgres = await start();
    const { uid } = statSync(path.join(dataDirectory, "postgres"));
    expect(uid).not.toBe(0);
    expect(uidOf(postgres.pid())).toBe(uid);
  });

  test("a data directory that only root may enter is made passable, not readable", async () => {
    chmodSync(dataDirectory, 0o700);
    await start();
    expect(statSync(dataDirectory).mode & 0o777).toBe(0o711);
  });

  test("a data directory behind a closed one is refused, and the closed one is named", async () => {
    const closed = path.join(home.path, "closed");
    mkdirSync(closed, { mode: 0o700 });
    dataDirectory = path.join(closed, "below", "data");
    await expect(start()).rejects.toMatchObject({
      code: "DATABASE_DIRECTORY",
      params: { path: dataDirectory, reason: expect.stringMatching(`may not enter ${closed}$`) },
    });
  });
});

describe.runIf(CAN_OTHERS_RUN_US)("started by an ordinary user", () => {
  /** Gives the test's directory to the account. */
  function own(uid: number, gid: number): void {
    rmSync(dataDirectory, { recursive: true });
    spawnSync("chown", [`${uid}:${gid}`, home.path]);
  }

  test("PostgreSQL runs as that user, and keeps that account when root starts it later", async () => {
    own(NOBODY.uid, NOBODY.gid);
    const ready = await startServer(NOBODY);
    expect(uidOf(ready.pid)).toBe(NOBODY.uid);
    await end(servers[0], "SIGTERM");
    await untilGone(ready.pid);
    const postgres = await start();
    expect(uidOf(postgres.pid())).toBe(NOBODY.uid);
  });

  test("a cluster of another account is refused, and so is a directory that cannot be written", async () => {
    expect(await startServer(NOBODY)).toMatchObject({ code: "DATABASE_DIRECTORY" });
    rmSync(dataDirectory, { recursive: true });
    expect(await startServer(NOBODY)).toMatchObject({
      code: "DATABASE_DIRECTORY",
      message: expect.stringContaining("permission denied, mkdir"),
    });
  });

  test("PostgreSQL runs for a user that has a number and no name", async () => {
    own(42_424, 42_424);
    const ready = await startServer({ uid: 42_424, gid: 42_424 });
    expect(ready).toMatchObject({ origin: "started" });
    expect(uidOf(ready.pid)).toBe(42_424);
  });
});
