import { platformFile } from "@mainstay/api";
import { openMetricsStore } from "@mainstay/metrics/tsdb";
import { once } from "node:events";
import * as fs from "node:fs";
import { writeFile } from "node:fs/promises";
import { createServer, type RequestListener } from "node:http";
import { createServer as createTlsServer, type ServerOptions } from "node:https";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { onTestFinished } from "vitest";
import { silentLog } from "../../../../../../tests/support/log.ts";
import { createTemporaryDirectory } from "../../../../../../tests/support/temporary.ts";
import { waitUntil } from "../../../../../../tests/support/wait-until.ts";
import { createSystemClock } from "../../../../kernel/clock.ts";
import { createMetrics } from "../../../../kernel/metrics.ts";
import type { MetricsStore } from "../../metrics-store.ts";
import { createIntakes } from "../../thread/intake.ts";
import { createLocalStore } from "../../thread/local-store.ts";
import { createQueryLog } from "../../thread/query-log.ts";
import { createScraper, type Scraper, type ScraperDependencies } from "../scraper.ts";
import type { ActiveTarget } from "../../routes/views.ts";
import { threadSettings } from "../../settings.ts";

/** A scraper with a real store in this thread, and a directory for its files. */
export interface ScrapingHouse {
  scraper: Scraper;
  store: MetricsStore;
  /** Puts a file into the directory; `scrape.yml` is the one that is in force. */
  write(name: string, text: string): Promise<string>;
  /** Waits for a target of whom this is true. */
  target(what: string, isIt: (target: ActiveTarget) => boolean): Promise<ActiveTarget>;
  /** `value` of every series of an instant query, by their labels without name, job and instance. */
  query(query: string): Promise<Record<string, number>>;
}

export interface HouseOptions {
  scrapeFile?: string;
  nameServer?: string;
  sources?: ScraperDependencies["sources"];
  instances?: ScraperDependencies["instances"];
}

export async function openScrapingHouse(options: HouseOptions): Promise<ScrapingHouse> {
  const directory = createTemporaryDirectory();
  const file = path.join(directory.path, "scrape.yml");
  if (options.scrapeFile !== undefined) await writeFile(file, options.scrapeFile);
  const clock = createSystemClock();
  const metrics = createMetrics({ clock, log: silentLog });
  const engine = openMetricsStore({
    ...{ disk: fs, directory: path.join(directory.path, "metrics"), pause: async () => {} },
    clock: { now: () => clock.now().getTime() },
  });
  const store = createLocalStore({
    ...{ store: engine, clock, intakes: createIntakes(engine, null), statsd: null, remotes: null },
    queryLog: createQueryLog(),
    nameSnapshot: () => ({ directory: "", name: "" }),
    settings: threadSettings(platformFile.parse({}).metrics, { directory: directory.path, env: {} }),
  });
  const scraper = createScraper({
    ...{ clock, metrics, log: silentLog, sink: store, seed: "test", intervalMs: 400, fileLookMs: 50 },
    file: options.scrapeFile === undefined ? null : file,
    ...(options.nameServer === undefined ? {} : { nameServers: [options.nameServer] }),
    sources: options.sources ?? [],
    instances: options.instances ?? (() => []),
  });
  await scraper.start();
  onTestFinished(async () => {
    await scraper.stop();
    await engine.close();
    directory.remove();
  });
  const targets = () => scraper.pools().flatMap((pool) => pool.active);
  return {
    scraper,
    store,
    async write(name, text) {
      await writeFile(path.join(directory.path, name), text);
      return path.join(directory.path, name);
    },
    target: (what, isIt) => waitUntil(what, () => targets().find(isIt)),
    async query(query) {
      const { value } = await store.query({ query });
      if (value.type !== "vector") throw new Error(`${query} gives no vector`);
      return Object.fromEntries(
        value.samples.map((each) => [describe(each.labels), Number("value" in each ? each.value : NaN)]),
      );
    },
  };
}

const HIDDEN = new Set(["__name__", "job", "instance"]);

function describe({ names, values }: { names: readonly string[]; values: readonly string[] }): string {
  return names.flatMap((name, index) => (HIDDEN.has(name) ? [] : [`${name}=${values[index]}`])).join();
}

/** Something on loopback that is scraped; its `host:port`. */
export async function startTarget(listener: RequestListener, tls?: ServerOptions): Promise<string> {
  const server = tls ? createTlsServer(tls, listener) : createServer(listener);
  await once(server.listen(0, "127.0.0.1"), "listening");
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const { port } = server.address() as AddressInfo;
  return `127.0.0.1:${port}`;
}
