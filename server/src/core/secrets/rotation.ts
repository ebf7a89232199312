import { rewrapAll, reencryptAll, type RotationProgress } from "@mainstay/vault";
import type { Audit } from "../audit/index.ts";
import type { Clock } from "../../kernel/clock.ts";
import type { Database, Tx } from "../../kernel/database/index.ts";
import type { TypedEvents } from "../../kernel/events/index.ts";
import type { Random } from "../../kernel/ids.ts";
import { countSealed, createColumnStore, nameOf, type SealedColumn } from "./columns.ts";
import type { HeldKeys } from "./keys.ts";
import type { RotationRow, SecretsStore, ServerRow } from "./store.ts";

const LOOK_MS = 250;
/** What was sealed before everybody had heard of the new key is committed by then. */
const GRACE_MS = 1000;
/** Progress is kept after so many objects, and at the end of each column. */
const KEEP_EVERY = 25;
/** Of the closing pass: what others wrote while it went by is met by the next. */
const MAX_PASSES = 3;

export interface RotationDependencies {
  db: Database;
  clock: Clock;
  random: Random;
  audit: Audit;
  events: TypedEvents;
  store: SecretsStore;
  keys: HeldKeys;
  columns: readonly SealedColumn[];
  /** Says what this server has. */
  beat(): Promise<void>;
  /** A server that was not heard for this long holds nothing up; what it seals in the old way is refused. */
  serverLifeMs: number;
}

/**
 * Carries the open rotation to its end, from wherever it stands; nothing when there is none. Every step is
 * kept in the database and may be done twice, by this server or another one.
 *
 * sharing: every server gets the key. working: it seals, and everything is sealed anew. closing: nothing can
 * be sealed in the old way any more, and what was in between is sealed anew. Then the old key goes.
 */
export function createRotator(dependencies: RotationDependencies) {
  const { db, clock, store, keys, columns, audit, events, beat, serverLifeMs } = dependencies;

  return async function rotate(signal: AbortSignal): Promise<void> {
    const row = await store.openRotation();
    if (!row) return;
    if (row.phase === "sharing") {
      await untilAll((server) => hasNews(server, row), signal);
      await step(row, "sharing", async (tx) => {
        if (row.kind === "wrapping-key") {
          await store.moveKeys(tx, "active", "outgoing");
          await store.moveKeys(tx, "incoming", "active");
        }
        return "working";
      });
    }
    if (row.phase !== "closing") {
      await pass(row.id, signal);
      await untilAll((server) => sealsAnew(server, row), signal);
      await clock.sleep(GRACE_MS, signal);
      await step(row, "working", async (tx) => {
        await store.moveKeys(tx, "outgoing", "closed");
        if (row.generation !== null) await store.setVault(tx, { least_generation: Number(row.generation) });
        return "closing";
      });
    }
    for (let passes = 1; ; passes += 1) {
      await pass(row.id, signal);
      if ((await leftOf(row)) === 0 || passes === MAX_PASSES) break;
      await store.updateRotation(row.id, { position: null, updated_at: clock.now() });
    }
    await finish(row);
  };

  /** From one phase to the next, unless another server was faster; then everybody takes up the news. */
  async function step(row: RotationRow, from: string, act: (tx: Tx) => Promise<"working" | "closing">) {
    await db.transaction().execute(async (tx) => {
      await store.lockKeys(tx);
      if ((await store.openRotation(tx))?.phase !== from) return;
      const phase = await act(tx);
      await store.updateRotation(row.id, { phase, position: null, updated_at: clock.now() }, tx);
      await store.notify(tx);
    });
    await keys.refresh();
    await beat();
  }

  /** Waits for every server that lives; one that dies meanwhile is waited for no longer. */
  async function untilAll(isSo: (server: ServerRow) => boolean, signal: AbortSignal): Promise<void> {
    for (;;) {
      await keys.refresh();
      await beat();
      if ((await store.servers(serverLifeMs)).every(isSo)) return;
      await clock.sleep(LOOK_MS, signal);
    }
  }

  /** Once through every column, from where the last pass was cut off. */
  async function pass(id: string, signal: AbortSignal): Promise<void> {
    const row = await store.rotation(id);
    if (!row) return;
    const begun = columns.findIndex((each) => nameOf(each) === row.position?.column);
    const counts = { ...row.counts };
    for (const [index, column] of columns.entries()) {
      if (index < begun) continue;
      const after = index === begun ? (row.position?.row ?? null) : null;
      for await (const progress of passColumn(row, column, after)) {
        signal.throwIfAborted();
        counts[progress.outcome] = (counts[progress.outcome] ?? 0) + 1;
        if (progress.count % KEEP_EVERY === 0) await keep(id, counts, { column, row: progress.cursor });
      }
      const next = columns[index + 1];
      await keep(id, counts, { column: next ?? column, row: next ? null : LAST });
    }
  }

  async function* passColumn({ kind, generation }: RotationRow, column: SealedColumn, after: string | null) {
    const objects = createColumnStore(db, column);
    const settings = { keyring: keys.keyring(), random: dependencies.random, after };
    const isRewrap = kind === "wrapping-key" || generation === null;
    const rotation: AsyncIterable<RotationProgress> = isRewrap
      ? rewrapAll(objects, settings)
      : reencryptAll(objects, settings);
    let count = 0;
    for await (const { cursor, outcome } of rotation) yield { cursor, outcome, count: (count += 1) };
  }

  async function keep(
    id: string,
    counts: Record<string, number>,
    { column, row }: { column: SealedColumn; row: string | null },
  ): Promise<void> {
    const position = { column: nameOf(column), row };
    await store.updateRotation(id, { position, counts, updated_at: clock.now() });
  }

  async function finish(row: RotationRow): Promise<void> {
    await db.transaction().execute(async (tx) => {
      await store.lockKeys(tx);
      if ((await store.openRotation(tx))?.id !== row.id) return;
      const left = await leftOf(row, tx);
      if (left === 0) await store.moveKeys(tx, "closed", "retired");
      await store.forgetHandovers(tx);
      const outcome = left === 0 ? "complete" : `${left} objects could not be sealed anew; their key stays`;
      const now = clock.now();
      const end = { phase: "finished" as const, updated_at: now, finished_at: now, outcome };
      await store.updateRotation(row.id, end, tx);
      const { id, kind, new_key: key, requested_by: actor } = row;
      const facts = { kind, key, generation: row.generation === null ? null : Number(row.generation) };
      const resource = { type: "rotation", id };
      const after = { ...facts, outcome };
      await audit.record(tx, { actor, action: "secrets.rotated", resource, after });
      await events.emit(tx, { type: "secrets.rotated", subject: id, data: { ...facts, left } });
      await store.notify(tx);
    });
    await keys.refresh();
    await beat();
  }

  /** Objects that still are in the old way. */
  async function leftOf(row: RotationRow, tx?: Tx): Promise<number> {
    const rows = await store.keys(tx);
    const closed = new Set(rows.filter(({ state }) => state === "closed").map(({ id }) => id));
    const isOld = ({ key, generation }: { key: string; generation: number }) =>
      row.generation === null ? closed.has(key) : generation < Number(row.generation);
    const counts = await countSealed(tx ?? db, columns);
    return counts.filter(isOld).reduce((sum, { objects }) => sum + objects, 0);
  }
}

/** Behind every row: ids of rows are text without the last character of Unicode. */
const LAST = "\u{10ffff}";

function hasNews(server: ServerRow, { new_key: key, generation }: RotationRow): boolean {
  return key === null ? Number(server.generation) >= Number(generation) : server.key_ids.includes(key);
}

function sealsAnew(server: ServerRow, { new_key: key, generation }: RotationRow): boolean {
  return key === null ? Number(server.generation) >= Number(generation) : server.active_key === key;
}
