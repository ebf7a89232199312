import { randomBytes } from "node:crypto";
import * as fs from "node:fs";
import { flushCompileCache } from "node:module";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { parentPort, workerData, type MessagePort } from "node:worker_threads";
import { openMetricsStore, type MetricsStore as Store, type RetentionRule } from "@mainstay/metrics/tsdb";
import { createSystemClock } from "../../../kernel/clock.ts";
import { MetricsError, type MetricsStore } from "../metrics-store.ts";
import { toMetricsError } from "./faults.ts";
import { createLocalStore } from "./local-store.ts";
import type { FromThread, ToThread } from "./messages.ts";
import { parseSelector } from "./selectors.ts";
import type { ThreadSettings } from "./settings.ts";

/** The thread of the store: whatever takes long or blocks on the disk does so here. */

const SYNC_MS = 200;
const MAINTAIN_MS = 60_000;
const clock = createSystemClock();

if (parentPort === null) {
  // Started as a process it only leaves its modules, also those it loads late, in the compile cache.
  await Promise.all([import("./api/answer.ts"), import("./ingest/deliver.ts")]);
  flushCompileCache();
} else await serve(parentPort, workerData as ThreadSettings);

async function serve(port: MessagePort, settings: ThreadSettings): Promise<void> {
  const say = (message: FromThread): void => port.postMessage(message);
  const startedAtMs = clock.monotonicMs();
  const { directory } = settings;
  let store: Store;
  try {
    store = openMetricsStore({
      ...{ ...settings.store, directory, disk: fs, retentionRules: await retentionRules(settings) },
      clock: { now: () => clock.now().getTime() },
      pause: () => setImmediate(),
    });
  } catch (error) {
    say({ kind: "failed", message: error instanceof Error ? error.message : String(error) });
    return port.close();
  }
  const nameSnapshot = () => {
    const name = `${clock.now().toISOString().replaceAll(/[-:]|\.\d+/g, "")}-${randomBytes(8).toString("hex")}`;
    return { name, directory: join(directory, "snapshots", name) };
  };
  const methods = createLocalStore({ store, settings, clock, nameSnapshot });
  const keep = startKeeping(store, (trouble) => say({ kind: "upkeep", trouble }));
  port.on("message", (message: ToThread) => {
    if ("end" in message) void keep.end().finally(() => port.close());
    else void answer(methods, message).then(say);
  });
  say({ kind: "opened", series: store.status().head.series, tookMs: clock.monotonicMs() - startedAtMs });
}

async function retentionRules({ rules }: ThreadSettings): Promise<RetentionRule[]> {
  const parsed: RetentionRule[] = [];
  for (const rule of rules) {
    const matchers = await parseSelector(rule.match);
    parsed.push({ name: JSON.stringify(rule), matchers, keepMs: new Map(rule.keepMs) });
  }
  return parsed;
}

async function answer(
  methods: MetricsStore,
  { id, method, input }: Extract<ToThread, { id: number }>,
): Promise<FromThread> {
  try {
    const run = methods[method] as (input: unknown) => Promise<unknown>;
    return { kind: "answer", id, value: await run(input) };
  } catch (cause) {
    const error = toMetricsError(cause);
    if (error instanceof MetricsError)
      return { kind: "refusal", id, fault: error.fault, message: error.message };
    const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return { kind: "refusal", id, fault: null, message };
  }
}

/** What a store needs now and then. What does not work is told once, and tried again. */
function startKeeping(store: Store, tell: (trouble: string | null) => void): { end(): Promise<void> } {
  const troubles = new Map<string, string>();
  const attempt = async (name: string, work: () => void | Promise<void>): Promise<void> => {
    const before = [...troubles.values()].join("; ");
    try {
      await work();
      troubles.delete(name);
    } catch (error) {
      troubles.set(name, `${name}: ${error instanceof Error ? error.message : String(error)}`);
    }
    const now = [...troubles.values()].join("; ");
    if (now !== before) tell(now === "" ? null : now);
  };
  const stops = [
    clock.every(SYNC_MS, () => attempt("sync", () => store.sync())),
    clock.every(MAINTAIN_MS, () => attempt("maintenance", () => store.maintain())),
  ];
  return {
    async end() {
      stops.forEach((stop) => stop());
      await attempt("sync", () => store.sync());
      await store.close();
    },
  };
}
