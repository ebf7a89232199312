import { AppError, type RotationResource, type SealingResource } from "@mainstay/api";
import { seal } from "@mainstay/vault";
import { z } from "zod";
import type { LongRunning } from "../../kernel/actors.ts";
import type { Clock } from "../../kernel/clock.ts";
import type { DatabaseHandle } from "../../kernel/database/index.ts";
import type { TypedEvents } from "../../kernel/events/index.ts";
import type { Ids, Random } from "../../kernel/ids.ts";
import type { Jobs } from "../../kernel/jobs/index.ts";
import type { Log } from "../../kernel/log.ts";
import type { Audit } from "../audit/index.ts";
import { countSealed, guardColumns, nameOf, type SealedColumn } from "./columns.ts";
import { handoverPlace, type HeldKeys } from "./keys.ts";
import { createRotator } from "./rotation.ts";
import { CHANNEL, createSecretsStore, type RotationKind, type RotationRow } from "./store.ts";

export interface SecretsDependencies {
  database: DatabaseHandle;
  clock: Clock;
  ids: Ids;
  random: Random;
  audit: Audit;
  events: TypedEvents;
  jobs: Jobs;
  log: Log;
  keys: HeldKeys;
  /** Of every room. */
  columns: readonly SealedColumn[];
  /** After this time without a sign of life a server counts as gone. */
  serverLifeMs?: number;
}

export interface Origin {
  actor: { type: string; id: string; name: string };
  requestId: string | null;
  address: string | null;
}

/** Keys of what is sealed in the database: their state, and their rotation. */
export interface Secrets extends LongRunning {
  status(): Promise<SealingResource>;
  rotation(id: string): Promise<RotationResource>;
  /** Begins a rotation. Throws SECRETS_ROTATION_RUNNING or SECRETS_NO_NEW_KEY. */
  rotate(wish: { kind: RotationKind; reason: string | null }, origin: Origin): Promise<RotationResource>;
}

const JOB = "rotate-secrets";
const DEADLINE_MS = 6 * 3_600_000;
const RETRIES = 50;
const SERVER_LIFE_MS = 15_000;
const BEATS_IN_A_LIFE = 5;
const NOTHING = { done: 0, already: 0, gone: 0, contended: 0, unreadable: 0 };

export function createSecrets(dependencies: SecretsDependencies): Secrets {
  const { database, clock, ids, random, audit, jobs, log, keys, columns } = dependencies;
  const { serverLifeMs = SERVER_LIFE_MS } = dependencies;
  const { db } = database;
  const store = createSecretsStore(db);
  const server = ids.next("srv");
  const stopping = new AbortController();
  let beating: Promise<void> = Promise.resolve();
  let stopListening: (() => Promise<void>) | null = null;

  async function beat(): Promise<void> {
    const { ids: keyIds, active, generation } = keys.keyring();
    await store.beat({ id: server, keyIds: [...keyIds], activeKey: active.id, generation });
  }

  async function takeUpNews(): Promise<void> {
    await keys
      .refresh()
      .then(beat)
      .catch((error: unknown) => {
        if (!stopping.signal.aborted) log.warn({ error }, "secrets: the keys could not be looked after");
      });
  }

  async function keepBeating(): Promise<void> {
    while (!stopping.signal.aborted) {
      await clock.sleep(serverLifeMs / BEATS_IN_A_LIFE, stopping.signal).catch(() => undefined);
      if (!stopping.signal.aborted) await takeUpNews();
    }
  }

  const rotateOn = createRotator({ ...dependencies, db, store, beat, serverLifeMs });
  jobs.define(JOB, { data: z.object({}), deadlineMs: DEADLINE_MS, retries: RETRIES }, ({ signal }) =>
    rotateOn(signal),
  );

  async function rotate({ kind, reason }: { kind: RotationKind; reason: string | null }, origin: Origin) {
    const row = await db.transaction().execute(async (tx) => {
      await store.lockKeys(tx);
      if (await store.openRotation(tx)) throw new AppError("SECRETS_ROTATION_RUNNING");
      const now = clock.now();
      const about = { ...draft(ids.next("rot"), kind, origin), started_at: now, updated_at: now };
      const objects = sum(await countSealed(tx, columns));
      if (kind === "data-keys") {
        const generation = (await store.vault(tx)).generation + 1;
        await store.setVault(tx, { generation });
        Object.assign(about, { generation });
      } else {
        Object.assign(about, { new_key: await addKey(tx) });
      }
      const begun = { ...about, objects };
      await store.insertRotation(tx, begun);
      const { new_key: key, generation } = begun;
      const resource = { type: "rotation", id: begun.id };
      const after = { kind, key, generation };
      await audit.record(tx, { ...origin, action: "secrets.rotation_requested", resource, after, reason });
      await jobs.enqueue(JOB, {}, { tx, singletonKey: JOB });
      await store.notify(tx);
      return begun;
    });
    return toRotation(row);
  }

  /** A new key, kept before it is known to the database, and left there for the other servers. */
  async function addKey(tx: Parameters<typeof store.insertKey>[0]): Promise<string> {
    const rows = await store.keys(tx);
    const known = { ids: rows.map(({ id }) => id), locks: rows.flatMap(({ lock }) => lock ?? []) };
    const { key, lock } = await keys.source.fresh(known);
    await keys.source.keep(key);
    const context = handoverPlace(key.id);
    const sealed_key = seal({ keyring: keys.keyring(), random, context }, key.secret.export());
    await store.insertKey(tx, { id: key.id, state: "incoming", lock, sealed_key, created_at: clock.now() });
    return key.id;
  }

  async function status(): Promise<SealingResource> {
    const [rows, counts, servers, last] = await Promise.all([
      store.keys(),
      countSealed(db, columns),
      store.servers(serverLifeMs),
      store.lastRotation(),
    ]);
    const { active, generation, ids: atHand } = keys.keyring();
    const generations = [...new Set(counts.map((each) => each.generation))].toSorted((a, b) => a - b);
    return {
      ...{ source: keys.source.name, activeKey: active.id, generation, servers: servers.length },
      keys: rows.map(({ id, state, created_at: at }) => ({
        ...{ id, state, createdAt: at.toISOString(), isAtHand: atHand.includes(id) },
        objects: sum(counts.filter(({ key }) => key === id)),
      })),
      generations: generations.map((each) => ({
        generation: each,
        objects: sum(counts.filter((count) => count.generation === each)),
      })),
      columns: columns.map((place) => ({
        column: nameOf(place),
        objects: sum(counts.filter(({ column }) => column === nameOf(place))),
      })),
      rotation: last ? toRotation(last) : null,
    };
  }

  return {
    name: "secrets",
    status,
    rotate,
    async rotation(id) {
      const row = await store.rotation(id);
      if (!row) throw new AppError("NOT_FOUND", { what: `rotation ${id}` });
      return toRotation(row);
    },
    async start() {
      await db.transaction().execute(async (tx) => {
        await store.lockKeys(tx);
        await guardColumns(tx, columns);
      });
      await beat();
      stopListening = await database.listen(CHANNEL, () => void takeUpNews());
      beating = keepBeating();
      // The server that was at it may be gone: nobody has to wait until its job is given to another.
      if (await store.openRotation()) await jobs.enqueue(JOB, {}, { singletonKey: JOB });
    },
    async stop() {
      stopping.abort();
      await beating;
      await stopListening?.();
      await store.leave(server).catch(() => undefined);
    },
  };
}

function draft(
  id: string,
  kind: RotationKind,
  { actor }: Origin,
): Omit<RotationRow, "started_at" | "updated_at"> {
  return {
    ...{ id, kind, phase: "sharing", position: null, objects: 0, counts: NOTHING },
    ...{ new_key: null, generation: null, requested_by: actor, finished_at: null, outcome: null },
  };
}

function sum(counts: readonly { objects: number }[]): number {
  return counts.reduce((total, { objects }) => total + objects, 0);
}

function toRotation(row: RotationRow): RotationResource {
  const { id, kind, phase, objects, counts, new_key: newKey, generation, outcome } = row;
  const { done = 0, already = 0, unreadable = 0 } = counts;
  return {
    ...{ id, kind, phase, objects, done, already, unreadable, newKey, outcome },
    generation: generation === null ? null : Number(generation),
    requestedBy: row.requested_by,
    startedAt: row.started_at.toISOString(),
    updatedAt: row.updated_at.toISOString(),
    finishedAt: row.finished_at?.toISOString() ?? null,
  };
}
