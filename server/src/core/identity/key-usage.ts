import type { LongRunning } from "../../kernel/actors.ts";
import type { Clock } from "../../kernel/clock.ts";
import type { Log } from "../../kernel/log.ts";
import type { AccessStore } from "./access-store.ts";

const WRITE_MS = 60_000;

interface Use {
  ms: number;
  from: string;
}

export interface KeyUsage extends LongRunning {
  note(id: string, nowMs: number, address: string): void;
}

/** When keys were used last: kept in memory, written once a minute and when the server stops. */
export function createKeyUsage({
  store,
  clock,
  log,
}: {
  store: Pick<AccessStore, "noteUse">;
  clock: Clock;
  log: Log;
}): KeyUsage {
  const uses = new Map<string, Use>();
  let stopWriting: () => void = () => {};

  async function write(): Promise<void> {
    const batch = [...uses].map(([id, { ms, from }]) => ({ id, at: new Date(ms), from }));
    if (batch.length === 0) return;
    uses.clear();
    await store.noteUse(batch).catch((error: unknown) => {
      for (const { id, at, from } of batch) if (!uses.has(id)) uses.set(id, { ms: at.getTime(), from });
      log.warn({ error, keys: batch.length }, "the last use of keys could not be written yet");
    });
  }

  return {
    name: "key-usage",
    note(id, ms, from) {
      const use = uses.get(id);
      if (use) {
        use.ms = ms;
        use.from = from;
      } else uses.set(id, { ms, from });
    },
    start: () => void (stopWriting = clock.every(WRITE_MS, write)),
    async stop() {
      stopWriting();
      await write();
    },
  };
}
