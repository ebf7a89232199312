import { createLogReader, type Hash, type LogSource, type SignedCheckpoint } from "@mainstay/tlog";
import type { Clock } from "../../kernel/clock.ts";
import type { Log } from "../../kernel/log.ts";
import { maskSecrets } from "../../kernel/redact.ts";
import { createWake, type Wake } from "../../kernel/wake.ts";
import type { KeepersStore } from "./keepers-store.ts";
import { reasonOf } from "../../kernel/reason-of.ts";

/** A checkpoint on its way to somebody who keeps it. */
export interface CheckpointPush {
  checkpoint: SignedCheckpoint;
  /** The key of the log. */
  vkey: string;
  /** Entries of the checkpoint that this keeper has, as far as is known; 0 for none. */
  keptSize: number;
  /** That the log goes on from what it was at an earlier size. */
  prove(earlierSize: number): Promise<readonly Hash[]>;
}

/**
 * Somebody who keeps checkpoints where whoever holds this machine cannot reach them. One attempt, which
 * throws why it failed; repeating is not its business. A witness answers its cosignature.
 */
export interface CheckpointKeeper {
  /** Where it leads, without what may be secret. */
  target: string;
  everyMs: number;
  keep(push: CheckpointPush, signal: AbortSignal): Promise<{ cosignature: string | null }>;
}

export interface PusherDependencies {
  keepers: Readonly<Record<string, CheckpointKeeper>>;
  store: KeepersStore;
  files: LogSource;
  clock: Clock;
  log: Log;
  /** The newest checkpoint with the key of the log; null while there is none. */
  newest(): Promise<{ checkpoint: SignedCheckpoint; vkey: string } | null>;
}

export interface Pusher {
  /** Brings new checkpoints to every keeper until the signal aborts. */
  run(signal: AbortSignal): Promise<void>;
  /** A checkpoint was signed. */
  notice(): void;
}

const ATTEMPT_MS = 60_000;
const FIRST_PAUSE_MS = 15_000;
const LAST_PAUSE_MS = 3_600_000;
/** A checkpoint that is signed is told of; a look finds what another server signed. */
const LOOK_MS = 60_000;
const ERROR_LIMIT = 500;

/** Sends checkpoints off the machine: the newest one to each keeper, at most as often as it wants. */
export function createPusher(dependencies: PusherDependencies): Pusher {
  const { keepers, store, files, clock, log, newest } = dependencies;
  const wakes = new Map<string, Wake>(Object.keys(keepers).map((name) => [name, createWake(clock)]));

  async function serve(name: string, keeper: CheckpointKeeper, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const waitMs = await push(name, keeper, signal).catch((error: unknown) => {
        if (!signal.aborted) log.warn({ keeper: name, error }, "a keeper of checkpoints could not be served");
        return FIRST_PAUSE_MS;
      });
      if (waitMs > 0) await clock.sleep(waitMs, signal).catch(() => {});
      else await wakes.get(name)?.sleep(LOOK_MS, signal);
    }
  }

  /** Answers how long to wait; 0: for the next checkpoint. */
  async function push(name: string, keeper: CheckpointKeeper, signal: AbortSignal): Promise<number> {
    const [row, latest] = [await store.keeper(name), await newest()];
    const aheadMs = (row?.next_at?.getTime() ?? 0) - clock.now().getTime();
    if (aheadMs > 0) return aheadMs;
    if (latest === null || latest.checkpoint.size === (row?.size ?? 0)) return 0;
    const { checkpoint, vkey } = latest;
    const reader = createLogReader(files, checkpoint.size);
    try {
      const { cosignature } = await keeper.keep(
        { checkpoint, vkey, keptSize: row?.size ?? 0, prove: reader.proveConsistency },
        AbortSignal.any([signal, AbortSignal.timeout(ATTEMPT_MS)]),
      );
      const { size, note } = checkpoint;
      const now = clock.now();
      const nextAt = new Date(now.getTime() + keeper.everyMs);
      await store.kept(name, { size, note, cosignature, now, nextAt });
      return keeper.everyMs;
    } catch (error) {
      if (signal.aborted) return 0;
      return fail(name, (row?.failures ?? 0) + 1, error);
    }
  }

  async function fail(name: string, failures: number, error: unknown): Promise<number> {
    const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** (failures - 1), LAST_PAUSE_MS);
    const words = maskSecrets(reasonOf(error)).slice(0, ERROR_LIMIT);
    await store.failed(name, { error: words, nextAt: new Date(clock.now().getTime() + pauseMs) });
    log.warn({ keeper: name, failures, reason: words }, "a checkpoint was not kept; it will be tried again");
    return pauseMs;
  }

  return {
    async run(signal) {
      await store.adopt(Object.keys(keepers));
      await Promise.all(Object.entries(keepers).map(([name, keeper]) => serve(name, keeper, signal)));
    },
    notice: () => wakes.forEach((wake) => wake.ring()),
  };
}
