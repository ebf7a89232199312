import { createConnection, createServer, type AddressInfo, type Socket } from "node:net";
import path from "node:path";
import { sql } from "kysely";
import { afterEach, beforeEach, describe, expect, inject, test } from "vitest";
import { openTestDatabase } from "../../../../tests/support/database.ts";
import { silentLog } from "../../../../tests/support/log.ts";
import { createTemporaryDirectory } from "../../../../tests/support/temporary.ts";
import { createSystemClock, createVirtualClock, type Clock } from "../clock.ts";
import { isLostConnection, openDatabase, type DatabaseHandle } from "./index.ts";

function open(url: string, clock: Clock = createSystemClock()): Promise<DatabaseHandle> {
  const unused = "/nonexistent";
  return openDatabase({ url, dataDirectory: unused, runtimeDirectory: unused, log: silentLog, clock });
}

describe("an open database", () => {
  let database: DatabaseHandle & { url: string };

  beforeEach(async () => {
    database = await openTestDatabase({ isEmpty: true });
  });

  afterEach(() => database.close());

  test("answers a ping", async () => {
    await expect(database.ping()).resolves.toBe(undefined);
  });

  test("gives bigints as numbers, and refuses those that are none", async () => {
    const read = (text: string) =>
      sql<{ value: number }>`select ${text}::bigint as value`.execute(database.db);
    expect((await read("9007199254740991")).rows).toEqual([{ value: 9007199254740991 }]);
    await expect(read("9007199254740993")).rejects.toThrow("does not fit a number");
  });

  test("goes on after all of its connections were cut", async () => {
    const holders = await Promise.all(Array.from({ length: 4 }, () => database.pool.connect()));
    for (const holder of holders) holder.release();
    await database.pool.query(`select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and pid <> pg_backend_pid()`);
    const { rows } = await database.pool.query("select 1 as one");
    expect(rows).toEqual([{ one: 1 }]);
  });

  test("tells a lost connection from a wrong query", async () => {
    const failureOf = (text: string) =>
      sql
        .raw(text)
        .execute(database.db)
        .catch((error: unknown) => error);
    expect(isLostConnection(await failureOf("select nonsense"))).toBe(false);
    expect(isLostConnection(await failureOf("select pg_terminate_backend(pg_backend_pid())"))).toBe(true);
  });

  test("is unreachable when no connection can be had", async () => {
    const proxy = await startProxy();
    const handle = await open(proxy.urlOf(database.url));
    proxy.close();
    // The pool may hand out once more what was cut.
    await handle.ping().catch(() => undefined);
    const query = sql`select 1`.execute(handle.db);
    await expect(query).rejects.toMatchObject({ code: "DATABASE_UNREACHABLE" });
    await handle.close();
  });

  test("limits how long a statement and an idle transaction may take", async () => {
    const { rows } = await database.pool.query<Record<string, string>>(
      `select current_setting('statement_timeout') as statement,
        current_setting('idle_in_transaction_session_timeout') as idle`,
    );
    expect(rows).toEqual([{ statement: "1min", idle: "1min" }]);
  });
});

describe("a listener", () => {
  let database: DatabaseHandle & { url: string };

  beforeEach(async () => {
    database = await openTestDatabase({ isEmpty: true });
  });

  afterEach(() => database.close());

  /** Listens, and hands out what is heard one by one. */
  async function hear(channel: string) {
    const heard: string[] = [];
    const waiting: ((payload: string) => void)[] = [];
    const end = await database.listen(channel, (payload) => {
      const next = waiting.shift();
      if (next) next(payload);
      else heard.push(payload);
    });
    const next = (): Promise<string> => {
      const ready = heard.shift();
      return ready === undefined ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(ready);
    };
    return { end, next };
  }

  const notify = (channel: string, payload: string) =>
    database.pool.query("select pg_notify($1, $2)", [channel, payload]);

  test("hears its own channel, as often as it is rung", async () => {
    const [one, other] = [await hear("one"), await hear("other")];
    await notify("one", "a");
    await notify("other", "b");
    await notify("one", "c");
    expect([await one.next(), await one.next(), await other.next()]).toEqual(["a", "c", "b"]);
  });

  test("hears everything from the moment that listen has resolved, also beside another one", async () => {
    const listeners = await Promise.all(Array.from({ length: 5 }, () => hear("shared")));
    await notify("shared", "all");
    expect(await Promise.all(listeners.map((each) => each.next()))).toEqual([
      "all",
      "all",
      "all",
      "all",
      "all",
    ]);
  });

  test("hears nothing after its end, while another one still does", async () => {
    const [ended, other] = [await hear("shared"), await hear("shared")];
    await ended.end();
    await notify("shared", "a");
    expect(await other.next()).toBe("a");
    await other.end();
    const { rows } = await database.pool.query(`select query from pg_stat_activity
      where datname = current_database() and application_name = 'mainstay listener'`);
    expect(rows).toEqual([{ query: "unlisten shared" }]);
  });

  test("is called with nothing after its connection was cut, and hears again", async () => {
    const [one, other] = [await hear("one"), await hear("other")];
    await database.pool.query(`select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and application_name = 'mainstay listener'`);
    expect([await one.next(), await other.next()]).toEqual(["", ""]);
    await notify("one", "a");
    expect(await one.next()).toBe("a");
  });

  test("finds out by itself that its connection fell silent, and makes another one", async () => {
    const proxy = await startProxy();
    const virtual = createVirtualClock();
    const handle = await open(proxy.urlOf(database.url), virtual);
    const missed = Promise.withResolvers<string>();
    await handle.listen("tests", missed.resolve);
    proxy.fallSilent();
    await virtual.advance(20_000);
    expect(await missed.promise).toBe("");
    await handle.close();
    proxy.close();
  });

  test("refuses a name that is no channel", async () => {
    await expect(database.listen("a; drop table x", () => {})).rejects.toThrow("not a channel name");
  });
});

describe("what cannot be opened", () => {
  test("a server that is not there, without the password in the message", async () => {
    const failure = open("postgres://ada:hunter2@127.0.0.1:1/shop");
    await expect(failure).rejects.toMatchObject({
      code: "DATABASE_UNREACHABLE",
      params: { reason: "connect ECONNREFUSED 127.0.0.1:1" },
    });
  });

  test.each(["mysql://ada:hunter2@db/shop", "nonsense hunter2", "postgres://ada:hunter2@db:port/shop"])(
    "%s, without the password in the error",
    async (url) => {
      const error: unknown = await open(url).catch((reason: unknown) => reason);
      expect(error).toMatchObject({ code: "DATABASE_UNREACHABLE" });
      expect(JSON.stringify(error, Object.getOwnPropertyNames(error)) + String(error)).not.toContain(
        "hunter2",
      );
    },
  );

  test("a server whose own words hold the password", async () => {
    const server = createServer((socket) => {
      socket.once("data", () => socket.end(errorResponse("no role for hunter2 here")));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    await expect(open(`postgres://ada:hunter2@127.0.0.1:${port}/shop`)).rejects.toMatchObject({
      code: "DATABASE_UNREACHABLE",
      params: { reason: "no role for *** here" },
    });
    await new Promise((resolve) => server.close(resolve));
  });
});

describe("the embedded PostgreSQL", () => {
  test("is opened without a URL, and stopped by close", async () => {
    const home = createTemporaryDirectory();
    const options = {
      dataDirectory: path.join(home.path, "data"),
      runtimeDirectory: path.join(home.path, "run"),
    };
    const database = await openDatabase({ ...options, log: silentLog, clock: createSystemClock() });
    expect(database).toMatchObject({
      embedded: true,
      description: expect.stringContaining("embedded PostgreSQL"),
    });
    await database.ping();
    await database.close();
    await expect(
      open(`postgres://mainstay@${encodeURIComponent(`${home.path}/run/postgres`)}/mainstay`),
    ).rejects.toMatchObject({ code: "DATABASE_UNREACHABLE" });
    home.remove();
  });
});

/** A network between us and PostgreSQL that can fall silent for the connections that exist. */
async function startProxy() {
  const { host } = inject("postgres");
  const pairs: [Socket, Socket][] = [];
  const server = createServer((client) => {
    const upstream = createConnection(path.join(host, ".s.PGSQL.5432"));
    pairs.push([client, upstream]);
    client
      .on("error", () => {})
      .pipe(upstream.on("error", () => {}))
      .pipe(client);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    urlOf: (url: string) => url.replace(encodeURIComponent(host), `127.0.0.1:${port}`),
    fallSilent: () => pairs.flat().forEach((socket) => socket.unpipe().pause()),
    close: () => {
      server.close();
      for (const socket of pairs.flat()) socket.destroy();
    },
  };
}

/** ErrorResponse of PostgreSQL's protocol 3.0, §53.7 of its manual. */
function errorResponse(message: string): Buffer {
  const fields = Buffer.from(`SFATAL\0C28000\0M${message}\0\0`);
  const head = Buffer.alloc(5);
  head.write("E");
  head.writeInt32BE(fields.length + 4, 1);
  return Buffer.concat([head, fields]);
}
