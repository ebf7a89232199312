import { randomBytes } from "node:crypto";
import { platformFile } from "@mainstay/api";
import { Kysely, PostgresDialect } from "kysely";
import { Pool } from "pg";
import { compose } from "../../server/src/compose.ts";
import { createKeySource, type HeldKeys } from "../../server/src/core/secrets/index.ts";
import { createVirtualClock } from "../../server/src/kernel/clock.ts";
import type { DatabaseHandle } from "../../server/src/kernel/database/index.ts";
import { createLog } from "../../server/src/kernel/log.ts";
import type { GeneratedFile } from "../generated-files.ts";

/** The description of the API, from a house that is built but never started. */
export async function generate(): Promise<GeneratedFile[]> {
  const clock = createVirtualClock();
  const { http } = compose({
    config: platformFile.parse({}),
    database: unopenedDatabase(),
    env: {},
    runtimeDirectory: "/nonexistent",
    keys: unopenedKeys(),
    clock,
    log: createLog({ clock, level: "error", format: "json" }),
  });
  const text = `${JSON.stringify(sortKeys(await http.openapi()), null, 2)}\n`;
  return [{ path: "docs/reference/openapi.json", text }];
}

/** Nothing connects before the first query, and there is none. */
function unopenedDatabase(): DatabaseHandle {
  const pool = new Pool();
  return {
    db: new Kysely({ dialect: new PostgresDialect({ pool }) }),
    pool,
    description: "none",
    embedded: false,
    connection: {},
    listen: async () => async () => {},
    ping: async () => {},
    close: () => pool.end(),
  };
}

/** Nothing is sealed before the first request, and there is none. */
function unopenedKeys(): HeldKeys {
  const source = createKeySource({
    settings: platformFile.parse({}).secrets,
    dataDirectory: "/nonexistent",
    random: randomBytes,
  });
  const keyring = () => {
    throw new Error("a house that is only described has no keys");
  };
  return { source, keyring, refresh: async () => {}, recoveryKey: null };
}

/** The order in which rooms are composed is not part of the API. */
function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).map(([key, child]): [string, unknown] => [key, sortKeys(child)]);
  return Object.fromEntries(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
