import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { cp } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { sql } from "kysely";
import { createSystemClock } from "../../server/src/kernel/clock.ts";
import type { DatabaseHandle } from "../../server/src/kernel/database/index.ts";
import { createSealedTables, createSealingServer, type SealingServer } from "./sealing-server.ts";
import { waitUntil } from "./wait-until.ts";

const SERVER = fileURLToPath(new URL("rotating-server.ts", import.meta.url));
const ANN = { actor: { type: "user", id: "usr_ann", name: "ann" }, requestId: null, address: null };
const ROWS = 30;
const LOOK = { deadlineMs: 120_000, lookMs: 50 };
/** Between two writes of the load: it is there all the time, and leaves the processor to those who rotate. */
const PACE_MS = 5;

export interface Ordeal {
  /** Whether the server was killed; if not, the rotation was over before that step. */
  wasKilled: boolean;
  outcome: string | null;
  unreadable: string[];
  /** Objects under a key that is not the active one, or of an earlier generation. */
  leftBehind: number;
}

/**
 * Rotations by a process that is killed, on a database that another server uses all the time: it writes and
 * reads while they go on, and what it could not is told.
 */
export async function createOrdeal(database: DatabaseHandle & { url: string }, directory: string) {
  const { db, url } = database;
  const clock = createSystemClock();
  const own = path.join(directory, "survivor");
  const others = path.join(directory, "victim");
  await createSealedTables(database);
  const survivor = await createSealingServer({ database, clock, dataDirectory: own, works: false });
  await survivor.start();
  await cp(own, others, { recursive: true });
  const failures: string[] = [];
  let writes = 0;
  let isOver = false;

  async function write(round: number): Promise<void> {
    const id = String(round % ROWS);
    const plain = `value ${round}`;
    const sealed = survivor.sealer.seal(["load.things", "sealed_thing", id], Buffer.from(plain));
    await sql`insert into load.things values (${id}, ${plain}, ${sealed})
              on conflict (id) do update set plain = ${plain}, sealed_thing = ${sealed}`.execute(db);
    writes += 1;
  }

  async function load(): Promise<void> {
    for (let round = 0; !isOver; round += 1) {
      await write(round).catch((error: unknown) => failures.push(`write: ${String(error)}`));
      await clock.sleep(PACE_MS);
      if (round % ROWS === 0) failures.push(...(await unreadableBy(survivor)));
    }
  }

  async function unreadableBy(server: SealingServer): Promise<string[]> {
    const { rows } = await sql<{ id: string; plain: string; sealed: Buffer }>`
      select id, plain, sealed_thing as sealed from load.things`.execute(db);
    return rows.flatMap(({ id, plain, sealed }) => {
      try {
        const opened = server.sealer.open(["load.things", "sealed_thing", id], sealed);
        return Buffer.from(opened).toString() === plain ? [] : [`${id}: another content`];
      } catch (error) {
        return [`${id}: ${String(error)}`];
      }
    });
  }

  function startVictim(step: number): ChildProcess {
    return spawn(process.execPath, [SERVER, url, others, String(step)], {
      stdio: ["ignore", "ignore", "inherit"],
      // Most of what such a process costs is to load its modules.
      env: { ...process.env, NODE_COMPILE_CACHE: path.join(directory, "compiled") },
    });
  }

  async function undergo(kind: "wrapping-key" | "data-keys", step: number): Promise<Ordeal> {
    const { id } = await survivor.secrets.rotate({ kind, reason: null }, ANN);
    const rotation = () => survivor.secrets.rotation(id);
    const victim = startVictim(step);
    const died = once(victim, "exit").then(() => "died" as const);
    const ended = waitUntil(
      "its end",
      async () => victim.exitCode ?? victim.signalCode ?? (await rotation()).finishedAt,
      LOOK,
    );
    await ended;
    const wasKilled = victim.signalCode === "SIGKILL";
    const next = wasKilled ? startVictim(0) : victim;
    await waitUntil("the end of the rotation", async () => (await rotation()).finishedAt, LOOK);
    const gone = next === victim ? died : once(next, "exit");
    next.kill("SIGTERM");
    await gone;
    await survivor.keys.refresh();
    // With what lies on the disk alone, as after a start.
    const late = await createSealingServer({ database, clock, dataDirectory: others, works: false });
    const { activeKey, generation, keys, generations } = await late.secrets.status();
    const oldKeys = keys.filter((key) => key.id !== activeKey).reduce((sum, key) => sum + key.objects, 0);
    const oldRounds = generations.filter((each) => each.generation < generation);
    const leftBehind =
      kind === "wrapping-key" ? oldKeys : oldRounds.reduce((sum, each) => sum + each.objects, 0);
    const { outcome } = await rotation();
    return { wasKilled, outcome, leftBehind, unreadable: await unreadableBy(late) };
  }

  for (let round = 0; round < ROWS; round += 1) await write(round);
  const loading = load();
  return {
    undergo,
    /** Ends the load; answers what went wrong in it, and how much was written. */
    async end() {
      isOver = true;
      await loading;
      await survivor.stop();
      return { failures, writes };
    },
  };
}
