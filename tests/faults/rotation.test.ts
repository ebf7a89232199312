import { mkdtemp, rm } from "node:fs/promises";
import path from "node:path";
import pg from "pg";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createSystemClock } from "../../server/src/kernel/clock.ts";
import { startEmbeddedPostgres } from "../../server/src/kernel/database/embedded/start.ts";
import { migrate, openDatabase, type DatabaseHandle } from "../../server/src/kernel/database/index.ts";
import { ROOMS } from "../../server/src/rooms.ts";
import { createOrdeal } from "../support/killed-rotations.ts";
import { silentLog } from "../support/log.ts";
import { createTemporaryDirectory } from "../support/temporary.ts";

/**
 * kill -9 before every single statement of a rotation, with a PostgreSQL that syncs, while another server
 * writes and reads: `npm run faults`. The steps are over when the server gets to the end unharmed.
 */

/** More than a rotation of so few rows has. */
const STEPS_MAX = 400;
/**
 * Otherwise statements were not seen. `begin`, and what
 * waits for its successor, goes out in one packet with it.
 */
const STEPS_MIN = 60;
/** Each on a database of its own: most of a step is waiting until a server counts as gone. */
const LANES = 4;

const home = createTemporaryDirectory();
const clock = createSystemClock();
let postgres: Awaited<ReturnType<typeof startEmbeddedPostgres>>;

beforeAll(async () => {
  const places = {
    dataDirectory: path.join(home.path, "data"),
    runtimeDirectory: path.join(home.path, "run"),
  };
  postgres = await startEmbeddedPostgres({
    ...{ ...places, log: silentLog, clock },
    settings: { max_connections: "200" },
  });
});
afterAll(async () => {
  await postgres.stop();
  home.remove();
});

async function openOwnDatabase(name: string): Promise<DatabaseHandle & { url: string }> {
  const { host, user } = postgres.connection;
  const administrator = new pg.Client(postgres.connection);
  await administrator.connect();
  await administrator.query(`create database ${name}`);
  await administrator.end();
  const url = `postgres://${user}@/${name}?host=${encodeURIComponent(host)}`;
  const unused = { dataDirectory: "/nonexistent", runtimeDirectory: "/nonexistent" };
  const handle = await openDatabase({ url, ...unused, log: silentLog, clock });
  return { ...handle, url };
}

it.each(["wrapping-key", "data-keys"] as const)(
  "a rotation of the %s survives a kill before each of its statements",
  async (kind) => {
    const kills = await Promise.all(Array.from({ length: LANES }, (_, lane) => killInLane(kind, lane)));
    expect(kills.reduce((sum, each) => sum + each, 0)).toBeGreaterThan(STEPS_MIN);
  },
  60 * 60_000,
);

/** Every so manieth step; answers how many of them there were to be killed before. */
async function killInLane(kind: "wrapping-key" | "data-keys", lane: number): Promise<number> {
  const database = await openOwnDatabase(`${kind.replace("-", "_")}_${lane}`);
  await migrate({ pool: database.pool, rooms: ROOMS, log: silentLog });
  const directory = await mkdtemp(path.join(home.path, "keys-"));
  const ordeal = await createOrdeal(database, directory);
  let kills = 0;
  try {
    for (let step = 1 + lane; step < STEPS_MAX; step += LANES) {
      const { wasKilled, ...result } = await ordeal.undergo(kind, step);
      expect(result, `step ${step}`).toEqual({ outcome: "complete", unreadable: [], leftBehind: 0 });
      if (!wasKilled) break;
      kills += 1;
      process.stdout.write(`${kind}: killed before statement ${step}, nothing lost\n`);
    }
  } finally {
    const { failures, writes } = await ordeal.end();
    process.stdout.write(`${kind}: lane ${lane} was killed ${kills} times, ${writes} writes meanwhile\n`);
    expect(failures).toEqual([]);
    await database.close();
    await rm(directory, { recursive: true, force: true });
  }
  return kills;
}
