import { randomBytes } from "node:crypto";
import type { PlatformConfig } from "@mainstay/api";
import { createSystemClock } from "../../server/src/kernel/clock.ts";
import { createHttp, type Http, type IdempotencyStore } from "../../server/src/kernel/http/index.ts";
import { createIds } from "../../server/src/kernel/ids.ts";
import { createMetrics, type Metrics } from "../../server/src/kernel/metrics.ts";
import { createRecordingLog, type RecordedLine } from "./log.ts";

/** What a test sends to be let in. */
export const KEY = { authorization: "Bearer good" };
const ANN = { type: "key", id: "k1", name: "Ann" };
const ANN_IN = { actor: ANN, session: null, key: { id: "k1", isStepUpExempt: false } };

export interface TestHttp {
  http: Http;
  metrics: Metrics;
  log: { lines: RecordedLine[] };
}

/**
 * A server that knows three keys: "good" may do all, "reader" may read, and "broken" breaks the
 * authentication.
 */
export function createTestHttp(
  config: Partial<PlatformConfig["server"]> = {},
  store?: IdempotencyStore,
): TestHttp {
  const log = createRecordingLog();
  const clock = createSystemClock();
  const metrics = createMetrics({ clock, log });
  const http = createHttp({
    config: {
      host: "127.0.0.1",
      port: 0,
      publicHost: null,
      allowedHosts: [],
      bodyLimit: 1024,
      requestTimeout: 30_000,
      shutdownTimeout: 5_000,
      ...config,
    },
    version: "1.2.3",
    log,
    clock,
    ids: createIds({ clock, random: randomBytes }),
    metrics,
    authenticate: async ({ headers: { authorization } }) => {
      if (authorization === "Bearer broken") throw new Error("the password is hunter2");
      if (authorization === "Bearer reader") return { ...ANN_IN, can: (wanted) => wanted.endsWith(".read") };
      return authorization === KEY.authorization ? { ...ANN_IN, can: () => true } : null;
    },
    ...(store ? { idempotencyStore: store } : {}),
  });
  return { http, log, metrics };
}
