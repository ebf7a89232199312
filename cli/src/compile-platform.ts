import path from "node:path";
import { compileAhead, ENTRIES } from "@mainstay/agent";
import { METRICS_THREAD_ENTRY, SERVER_ENTRY } from "@mainstay/server";

/** Compiles whatever is going to run on this data directory; answers where the cache of it lies. */
export async function compilePlatform(dataDirectory: string): Promise<string> {
  const cache = process.env["NODE_COMPILE_CACHE"] ?? path.join(dataDirectory, "cache");
  await compileAhead([...ENTRIES, SERVER_ENTRY, METRICS_THREAD_ENTRY], cache);
  return cache;
}
