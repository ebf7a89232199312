import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { platformFile } from "@mainstay/api";
import { compose } from "../../server/src/compose.ts";
import { createSystemClock } from "../../server/src/kernel/clock.ts";
import { openTestDatabase } from "./database.ts";
import { silentLog } from "./log.ts";
import { setUp } from "./set-up.ts";
import { waitUntil } from "./wait-until.ts";
import { createTestKeys } from "./vault.ts";

export type MetricsHouse = Awaited<ReturnType<typeof openMetricsHouse>>;

type Asking = Omit<RequestInit, "headers"> & { headers?: Record<string, string> };

/** The server's rooms with their metrics store and their port, over a database of their own. */
export async function openMetricsHouse(settings: Record<string, unknown> = {}) {
  const folder = await mkdtemp(path.join(tmpdir(), "mainstay-metrics-"));
  const database = await openTestDatabase();
  const file = platformFile.parse({ server: { port: 0 }, metrics: settings });
  const config = { ...file, dataDirectory: folder };
  const clock = createSystemClock();
  const keys = await createTestKeys(database.db);
  const house = compose({ config, database, runtimeDirectory: folder, keys, env: {}, clock, log: silentLog });
  const metrics = house.parts.find(({ name }) => name === "metrics");
  await house.identity.accounts.ensureSetupLink();
  await house.http.start();
  await metrics?.start();
  const url = house.http.address();
  const key = await setUp({ url, dataDirectory: folder });
  const authorization = `Bearer ${key}`;

  async function ask(at: string, { headers, ...init }: Asking = {}) {
    return fetch(`${url}${at}`, { ...init, headers: { authorization, ...headers } });
  }

  const isReady = async () => {
    const answer = await ask("/prometheus/api/v1/status/walreplay");
    return (await answer.text()).includes('"done"');
  };
  await waitUntil("the metrics store", isReady);
  return {
    ...{ url, key, ask, folder, database, parts: house.parts },
    async send(bytes: Uint8Array<ArrayBuffer>, type: string, headers: Record<string, string> = {}) {
      const content = { "content-type": type, "content-encoding": "snappy", ...headers };
      return ask("/prometheus/api/v1/write", { method: "POST", headers: content, body: bytes });
    },
    async close() {
      await house.http.stop();
      await metrics?.stop();
      await database.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
