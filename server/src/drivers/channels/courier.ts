import type { Audit } from "../../core/audit/index.ts";
import type { Clock } from "../../kernel/clock.ts";
import type { Database, Tx } from "../../kernel/database/index.ts";
import type { Random } from "../../kernel/ids.ts";
import type { Log } from "../../kernel/log.ts";
import { maskSecrets } from "../../kernel/redact.ts";
import { pauseMs } from "./domain/schedule.ts";
import type { ChannelMetrics } from "./metrics.ts";
import type { Queue } from "./queue.ts";
import type { Outcome, Sender } from "./sender.ts";
import type { ChannelsStore, DeliveryRow } from "./store.ts";
import { reasonOf } from "../../kernel/reason-of.ts";

const SYSTEM = { type: "system", id: "mainstay", name: "Mainstay" };
const ERROR_LIMIT = 500;
/** A job that comes early, as the database's clock is another, waits here for at most this long. */
const EARLY_MS = 5_000;

export interface CourierDependencies {
  senders: ReadonlyMap<string, Sender>;
  store: ChannelsStore;
  queue: Queue;
  hostName: string;
  db: Database;
  audit: Audit;
  clock: Clock;
  random: Random;
  log: Log;
  metrics: ChannelMetrics;
}

/** Brings deliveries to where they go: each attempt is counted before it begins and written down after it. */
export function createCourier(dependencies: CourierDependencies) {
  const { senders, store, queue, hostName, db, audit, clock, log, metrics } = dependencies;
  const chance = (): number => (dependencies.random(1)[0] ?? 0) / 255;

  /**
   * One job: what is older on the same subject goes first, so that nobody reads the end before the problem.
   */
  async function deliver(id: string, signal: AbortSignal): Promise<void> {
    const wanted = await store.delivery(id);
    if (!wanted || wanted.state !== "pending") return;
    if (!(await isDue(wanted, signal))) return queue.enqueue(wanted);
    for (const row of await store.pendingUpTo(wanted)) {
      const after = await attempt(row, signal);
      if (after === null || after.state !== "pending") continue;
      if (row.id !== id) await postpone(wanted, after.next_attempt_at);
      return;
    }
  }

  async function isDue({ next_attempt_at: at }: DeliveryRow, signal: AbortSignal): Promise<boolean> {
    const aheadMs = (): number => (at?.getTime() ?? 0) - clock.now().getTime();
    if (aheadMs() > 0) await clock.sleep(Math.min(aheadMs(), EARLY_MS), signal);
    return aheadMs() <= 0;
  }

  async function postpone(row: DeliveryRow, at: Date | null): Promise<void> {
    await db.transaction().execute(async (tx) => {
      await store.update(tx, row.id, { next_attempt_at: at });
      await queue.enqueue({ ...row, next_attempt_at: at }, tx);
    });
  }

  /** The row as it is then; null when somebody else is at it. Without `mayRepeat` a failure is the end. */
  async function attempt(
    row: DeliveryRow,
    signal: AbortSignal,
    mayRepeat = true,
  ): Promise<DeliveryRow | null> {
    const claimed = await store.claim(row, clock.now());
    if (!claimed) return null;
    const outcome = await send(claimed, signal);
    // What was cut off by the end of this server is tried again by the next one.
    if (mayRepeat) signal.throwIfAborted();
    metrics.attempt(row.channel, outcome.kind);
    const patch = settled(claimed, outcome, mayRepeat);
    await db.transaction().execute(async (tx) => {
      await store.update(tx, row.id, patch);
      if (patch.next_attempt_at) await queue.enqueue({ ...claimed, ...patch }, tx);
      if (outcome.kind === "gone") await disable(tx, row.channel, outcome.error);
    });
    tell(claimed, patch);
    return { ...claimed, ...patch };
  }

  async function send(row: DeliveryRow, signal: AbortSignal): Promise<Outcome> {
    const { id, channel, topic, subject, title } = row;
    try {
      const sender = senders.get(channel);
      if (!sender) throw new Error("the channel is not in the configuration");
      const thread = `${topic}.${Buffer.from(subject).toString("hex")}`;
      return await sender.send(
        { id, thread, title, text: textOf(row, hostName), payload: payloadOf(row) },
        signal,
      );
    } catch (error) {
      const words = reasonOf(error);
      return { kind: "refused", error: words, retryAfterMs: null };
    }
  }

  function settled(row: DeliveryRow, outcome: Outcome, mayRepeat: boolean) {
    const now = clock.now();
    if (outcome.kind === "delivered")
      return {
        state: "delivered",
        next_attempt_at: null,
        last_error: outcome.note,
        finished_at: now,
      } as const;
    const last_error = maskSecrets(outcome.error).slice(0, ERROR_LIMIT);
    const retryAfterMs = outcome.kind === "refused" ? outcome.retryAfterMs : null;
    const canRepeat = mayRepeat && outcome.kind === "refused";
    const waitMs = canRepeat ? pauseMs(row.attempts, { chance: chance(), retryAfterMs }) : null;
    if (waitMs === null)
      return { state: "failed", next_attempt_at: null, last_error, finished_at: now } as const;
    const next_attempt_at = new Date(now.getTime() + waitMs);
    return { state: "pending", next_attempt_at, last_error, finished_at: null } as const;
  }

  /** The receiver wants nothing more: until its configuration is another, or a test arrives. */
  async function disable(tx: Tx, channel: string, error: string): Promise<void> {
    const reason = `the receiver is gone: ${error}`;
    await store.setDisabled(tx, channel, reason);
    const given = await store.giveUp(tx, { channel }, { error: reason, now: clock.now() });
    metrics.message(channel, "failed", given);
    const resource = { type: "channel", id: channel };
    await audit.record(tx, { actor: SYSTEM, action: "channels.disabled", resource, reason });
  }

  function tell({ id, channel, attempts }: DeliveryRow, patch: ReturnType<typeof settled>): void {
    const { state, last_error: reason, next_attempt_at: nextAttemptAt } = patch;
    if (state !== "pending") metrics.message(channel, state);
    const fields = { delivery: id, channel, attempts };
    if (state === "delivered") log.info(fields, "a message was delivered");
    else if (state === "failed") log.error({ ...fields, reason }, "a message could not be delivered");
    else log.warn({ ...fields, reason, nextAttemptAt }, "a message was not taken; it will be tried again");
  }

  return { deliver, attempt };
}

/** "N more like this", where others were merged into it. */
function textOf({ body, suppressed }: DeliveryRow, hostName: string): string {
  const more = suppressed === 0 ? [] : [`${suppressed} more like this came meanwhile and were not sent.`];
  return [body, ...more, `Mainstay on ${hostName}`].join("\n\n");
}

/** The extension attribute `suppressed` is there only where it says something. */
function payloadOf({ payload, suppressed }: DeliveryRow): string {
  return suppressed === 0 ? payload : `${payload.slice(0, -1)},"suppressed":${suppressed}}`;
}
