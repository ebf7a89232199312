import { randomBytes } from "node:crypto";
import * as fs from "node:fs";
import { flushCompileCache } from "node:module";
import { join } from "node:path";
import { parentPort, workerData, type MessagePort } from "node:worker_threads";
import { openMetricsStore, type MetricsStore as Store, type RetentionRule } from "@mainstay/metrics/tsdb";
import { createSystemClock } from "../../../kernel/clock.ts";
import { MetricsError, type MetricsStore } from "../metrics-store.ts";
import { watchBudgets } from "./budget-trouble.ts";
import { toMetricsError } from "./faults.ts";
import { createIntakes } from "./intake.ts";
import { createLocalStore } from "./local-store.ts";
import type { FromThread, ToThread } from "./messages.ts";
import { parseSelector } from "./selectors.ts";
import { createQueryLog } from "./query-log.ts";
import type { Remotes, RemotesDependencies } from "./sending/start-remotes.ts";
import type { ThreadSettings } from "./settings.ts";
import type { Statsd, StatsdDependencies } from "./statsd.ts";
import { createAttempts, startUpkeep } from "./upkeep.ts";
import { reasonOf } from "../../../kernel/reason-of.ts";

/** The thread of the store: whatever takes long or blocks on the disk does so here. */

const clock = createSystemClock();

if (parentPort === null) {
  // Started as a process it only leaves its modules, also those it loads late, in the compile cache.
  await Promise.all([
    import("./api/answer.ts"),
    import("./ingest/deliver.ts"),
    import("./reads.ts"),
    import("./sending/start-remotes.ts"),
    import("./statsd.ts"),
  ]);
  flushCompileCache();
} else await serve(parentPort, workerData as ThreadSettings);

async function serve(port: MessagePort, settings: ThreadSettings): Promise<void> {
  const say = (message: FromThread): void => port.postMessage(message, buffersOf(message));
  const startedAtMs = clock.monotonicMs();
  const { directory } = settings;
  let store: Store;
  const pause = () => new Promise<void>((resolve) => setImmediate(resolve));
  try {
    store = openMetricsStore({
      ...{ ...settings.store, directory, disk: fs, retentionRules: await retentionRules(settings) },
      clock: { now: () => clock.now().getTime() },
      pause,
    });
  } catch (error) {
    say({ kind: "failed", message: reasonOf(error) });
    return port.close();
  }
  // Before anything is cut: what is not sent as yet must be kept.
  const followers = store.follow(settings.remotes.map(({ name }) => name));
  const nameSnapshot = () => {
    const name = `${clock
      .now()
      .toISOString()
      .replaceAll(/[-:]|\.\d+/g, "")}-${randomBytes(8).toString("hex")}`;
    return { name, directory: join(directory, "snapshots", name) };
  };
  const attempt = createAttempts((trouble) => say({ kind: "upkeep", trouble }));
  const intakes = createIntakes(store, settings.othersLabel);
  const fromOutside = { beginIntake: () => intakes.begin("outside") };
  const statsd = await openStatsd(settings, { clock, ...fromOutside, attempt });
  const remotes = await openRemotes(settings, {
    ...{ followers, clock, random: () => randomBytes(4).readUInt32LE() / 2 ** 32, pause, attempt },
    onTrouble: (name, trouble) => say({ kind: "sending", name, trouble }),
  });
  const queryLog = createQueryLog();
  const methods = createLocalStore({
    ...{ store, settings, clock, intakes, nameSnapshot, statsd, remotes, queryLog },
  });
  const upkeep = startUpkeep(store, { clock, attempt });
  const tell = (trouble: string | null) => say({ kind: "budget", trouble });
  const stopWatching = watchBudgets({ store, statsd, clock, tell });
  port.on("message", (message: ToThread) => {
    if (!("end" in message)) return void answer(methods, message).then(say);
    stopWatching();
    void Promise.all([statsd?.end(), remotes?.stop()])
      .then(upkeep.end)
      .finally(() => port.close());
  });
  say({ kind: "opened", series: store.status().head.series, tookMs: clock.monotonicMs() - startedAtMs });
}

/** Bytes of an answer are handed over, not copied. */
function buffersOf(message: FromThread): ArrayBuffer[] {
  const value = message.kind === "answer" ? message.value : null;
  if (typeof value !== "object" || value === null || !("body" in value)) return [];
  const { body } = value;
  if (!(body instanceof Uint8Array) || !(body.buffer instanceof ArrayBuffer)) return [];
  return body.byteLength === body.buffer.byteLength ? [body.buffer] : [];
}

/** Loaded only where it is wanted. */
async function openStatsd(
  { statsd }: ThreadSettings,
  dependencies: Omit<StatsdDependencies, "settings">,
): Promise<Statsd | null> {
  if (statsd === null) return null;
  const { startStatsd } = await import("./statsd.ts");
  return startStatsd({ settings: statsd, ...dependencies });
}

/** Loaded only where something is sent on. */
async function openRemotes(
  { remotes }: ThreadSettings,
  dependencies: Omit<RemotesDependencies, "settings">,
): Promise<Remotes | null> {
  if (remotes.length === 0) return null;
  const { startRemotes } = await import("./sending/start-remotes.ts");
  return startRemotes({ settings: remotes, ...dependencies });
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
