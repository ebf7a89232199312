import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { chownSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import pg from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test } from "vitest";
import { createTestDatabase, type TestDatabase } from "../../../../tests/support/database.ts";
import { silentLog } from "../../../../tests/support/log.ts";
import { createTemporaryDirectory } from "../../../../tests/support/temporary.ts";
import { createSystemClock } from "../clock.ts";
import { openDatabase } from "./index.ts";

const PGBOUNCER = "/usr/sbin/pgbouncer";
const IS_INSTALLED = spawnSync(PGBOUNCER, ["--version"]).error === undefined;
const IS_CI = process.env["CI"] === "true";

const unused = "/nonexistent";
const options = {
  dataDirectory: unused,
  runtimeDirectory: unused,
  log: silentLog,
  clock: createSystemClock(),
};

test("where everything has to be tested, Debian's package pgbouncer is installed", () => {
  expect(IS_INSTALLED || !IS_CI, "apt-get install pgbouncer").toBe(true);
});

describe.skipIf(!IS_INSTALLED)("behind pgbouncer (Debian's package; skipped where it is absent)", () => {
  let database: TestDatabase;
  let home: ReturnType<typeof createTemporaryDirectory>;
  let pgbouncer: ChildProcess;

  beforeAll(async () => {
    database = await createTestDatabase({ isEmpty: true });
  });

  afterAll(() => database.close());

  beforeEach(() => {
    home = createTemporaryDirectory();
  });

  afterEach(async () => {
    const gone = new Promise((resolve) => pgbouncer.once("exit", resolve));
    pgbouncer.kill("SIGTERM");
    await gone;
    home.remove();
  });

  /** Starts pgbouncer before the test's database; answers the URL that leads through it. */
  async function startPooler(settings: string[]): Promise<string> {
    const { host, user } = inject("postgres");
    // It refuses to be root, and only the account of PostgreSQL may use the socket.
    const { uid, gid } = statSync(host);
    const directory = path.join(home.path, "pooler");
    mkdirSync(directory);
    chownSync(directory, uid, gid);
    const file = path.join(directory, "pgbouncer.ini");
    writeFileSync(
      file,
      [
        "[databases]",
        `* = host=${host} user=${user}`,
        "[pgbouncer]",
        "listen_addr =",
        `unix_socket_dir = ${directory}`,
        "auth_type = any",
        "ignore_startup_parameters = extra_float_digits",
        ...settings,
      ].join("\n"),
    );
    pgbouncer = spawn(PGBOUNCER, [file], { uid, gid, cwd: "/", stdio: ["ignore", "ignore", "pipe"] });
    await sayingThat(pgbouncer, "process up");
    const name = database.url.split("/").at(-1) ?? "";
    return `postgres://${user}@${encodeURIComponent(directory)}:6432/${name}`;
  }

  const open = (url: string) => openDatabase({ ...options, url });

  test("in transaction mode it is refused, and the message names the way out", async () => {
    const url = await startPooler(["pool_mode = transaction"]);
    const failure = open(url);
    await expect(failure).rejects.toMatchObject({ code: "DATABASE_POOLER" });
    await expect(failure).rejects.toHaveProperty("remedy", expect.stringContaining("pool_mode = session"));
  });

  test("in transaction mode it is refused, also when it takes turns and others use it", async () => {
    const url = await startPooler([
      "pool_mode = transaction",
      "server_round_robin = 1",
      "default_pool_size = 8",
    ]);
    const others = Array.from({ length: 6 }, () => new pg.Client(url));
    await Promise.all(others.map((client) => client.connect()));
    let isOver = false;
    const traffic = others.map(async (client) => {
      while (!isOver) await client.query("select 1");
    });
    await expect(open(url)).rejects.toMatchObject({ code: "DATABASE_POOLER" });
    isOver = true;
    await Promise.all(traffic);
    await Promise.all(others.map((client) => client.end()));
  });

  test("in transaction mode it is refused although it has a single connection", async () => {
    const url = await startPooler(["pool_mode = transaction", "default_pool_size = 1"]);
    await expect(open(url)).rejects.toMatchObject({ code: "DATABASE_POOLER" });
  });

  test("in statement mode it is refused", async () => {
    const url = await startPooler(["pool_mode = statement"]);
    await expect(open(url)).rejects.toMatchObject({ code: "DATABASE_POOLER" });
  });

  test("in session mode it is as good as PostgreSQL itself", async () => {
    const url = await startPooler(["pool_mode = session"]);
    const handle = await open(url);
    const heard = new Promise<string>(
      (resolve) => void handle.listen("tests", resolve).then(() => handle.pool.query("notify tests, 'x'")),
    );
    expect(await heard).toBe("x");
    await handle.close();
  });
});

test("PostgreSQL itself is never taken for a pooler", async () => {
  const database = await createTestDatabase({ isEmpty: true });
  const handles = await Promise.all(
    Array.from({ length: 8 }, () => openDatabase({ ...options, url: database.url })),
  );
  expect(handles.map((handle) => handle.embedded)).toEqual(Array.from({ length: 8 }, () => false));
  await Promise.all(handles.map((handle) => handle.close()));
  await database.close();
});

/** Resolves when the process has written the words to its standard error. */
function sayingThat(child: ChildProcess, words: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let text = "";
    child.stderr?.on("data", (part) => {
      text += String(part);
      if (text.includes(words)) resolve();
    });
    child.once("exit", () => reject(new Error(`pgbouncer did not start: ${text}`)));
  });
}
