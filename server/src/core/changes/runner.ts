import type { LongRunning } from "../../kernel/actors.ts";
import { createWake } from "../../kernel/wake.ts";
import { createTurn, type TurnDependencies } from "./turn.ts";

/** How often a change is looked at when nothing rings. */
const LOOK_MS = 1000;
const LEASE_MS = 15_000;
/** After an unexpected error; the change keeps its place. */
const RETRY_MS = 1000;

export interface RunnerDependencies extends TurnDependencies {
  /** The name this server holds locks under: the same after a restart on the same data directory. */
  owner: string;
  /** Tells of requests, commands and transitions, made here or by another server. */
  listen(onNews: () => void): Promise<() => Promise<void>>;
}

/** Carries changes out: one loop per active change, resumed wherever a dead server left it. */
export function createChangeRunner(dependencies: RunnerDependencies): LongRunning {
  const { store, kinds, clock, log, owner } = dependencies;
  const stopping = new AbortController();
  const loops = new Map<string, { ring(): void; done: Promise<void> }>();
  const wake = createWake(clock);
  const endings: (() => void | Promise<void>)[] = [];
  let watching: Promise<void> = Promise.resolve();

  function ringAll(): void {
    wake.ring();
    for (const loop of loops.values()) loop.ring();
  }

  async function watch(): Promise<void> {
    while (!stopping.signal.aborted) {
      await startLoops().catch((error: unknown) =>
        log.error({ error }, "cannot look for changes; trying again"),
      );
      await wake.sleep(LOOK_MS, stopping.signal);
    }
  }

  async function startLoops(): Promise<void> {
    for (const row of await store.active()) {
      if (loops.has(row.id)) continue;
      const own = createWake(clock);
      const done = drive(row.id, own).finally(() => loops.delete(row.id));
      loops.set(row.id, { ring: () => own.ring(), done });
    }
  }

  async function drive(id: string, own: ReturnType<typeof createWake>): Promise<void> {
    const turn = createTurn(dependencies, id);
    while (!stopping.signal.aborted) {
      try {
        const outcome = await step(id, turn);
        if (outcome === "ended") return;
        if (outcome === "moved") continue;
        await own.sleep(LOOK_MS, stopping.signal);
      } catch (error) {
        log.error({ error, change: id }, "a change stumbled; trying again");
        await own.sleep(RETRY_MS, stopping.signal);
      }
    }
  }

  async function step(id: string, turn: ReturnType<typeof createTurn>): Promise<"ended" | "moved" | "waits"> {
    const row = await store.change(id);
    if (!row || row.finished_at !== null) return "ended";
    const now = clock.now();
    const lease = { owner, now, expiresAt: new Date(now.getTime() + LEASE_MS) };
    if (row.state === "requested") return (await turn.lock(row, lease)) ? "moved" : "waits";
    if (!(await store.beat(id, lease))) {
      turn.forget();
      return "waits";
    }
    return (await turn.take(row)) ? "moved" : "waits";
  }

  return {
    name: "changes",
    async start() {
      const sources = new Set(
        kinds.flatMap((kind) => [...kind.drivers, ...(kind.signal ? [kind.signal] : [])]),
      );
      for (const source of sources) endings.push(source.onNews(ringAll));
      endings.push(await dependencies.listen(ringAll));
      watching = watch();
    },
    async stop() {
      stopping.abort();
      ringAll();
      await watching;
      await Promise.all([...loops.values()].map((loop) => loop.done));
      for (const end of endings) await end();
    },
  };
}
