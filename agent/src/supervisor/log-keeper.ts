import type { Log } from "../system/log.ts";
import type { Instance } from "./instance.ts";
import { capLogs, markLogs } from "./log-files.ts";

const INTERVAL_MS = 10_000;
const LIMIT_BYTES = 64 * 1024 * 1024;

/** Keeps the logs of all instances below their size, and notes when they grew; returns what stops it. */
export function keepLogsSmall(instances: () => Instance[], log: Log): () => void {
  async function capAll(): Promise<void> {
    for (const instance of instances()) {
      const { logDirectory } = instance.spec();
      const droppedBytes = await capLogs(logDirectory, LIMIT_BYTES);
      await markLogs(logDirectory, Date.now());
      if (droppedBytes > 0) log.warn({ instance: instance.id, droppedBytes }, "a log was cut to its size");
    }
  }

  const timer = setInterval(() => {
    capAll().catch((error: unknown) => log.warn({ error: String(error) }, "a log could not be cut"));
  }, INTERVAL_MS);
  return () => clearInterval(timer);
}
