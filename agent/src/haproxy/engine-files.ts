import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isAlive } from "../system/process-table.ts";
import type { EngineTable } from "./engine-table.ts";
import type { KeeperOptions } from "./keeper-options.ts";
import type { MapFiles } from "./plan-commands.ts";
import { renderConfig, renderMap } from "./render-config.ts";

/** Where the keeper reads HAProxy's log; takes the place of a keeper's before. */
export const LOG_SOCKET = "hlog";
const DIRECTORY = "haproxy";
const NAME = /^h([0-9a-z]+)-[0-9a-z]+$/;
const BASE = 36;

export interface EngineFiles {
  write(number: number, cookieKey: string, table: EngineTable): WrittenFiles;
}

interface WrittenFiles {
  configFile: string;
  /** Of the runtime socket. */
  admin: string;
  maps: MapFiles;
  /** Once the process that read them has ended. */
  remove(): void;
}

/**
 * What each process of HAProxy reads. Names carry the keeper's pid: for some seconds a keeper and its
 * successor may both be there, and must not speak to each other's. What dead keepers left is removed.
 */
export function createEngineFiles(options: KeeperOptions): EngineFiles {
  const { runtimeDirectory, nodes } = options;
  const directory = join(runtimeDirectory, DIRECTORY);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  for (const name of [...readdirSync(runtimeDirectory), ...readdirSync(directory)]) {
    const keeper = NAME.exec(name)?.[1];
    if (keeper !== undefined && !isAlive(Number.parseInt(keeper, BASE))) remove(name);
  }

  function remove(name: string): void {
    rmSync(join(runtimeDirectory, name), { force: true });
    rmSync(join(directory, name), { recursive: true, force: true });
  }

  return {
    write(number, cookieKey, table) {
      const name = `h${process.pid.toString(BASE)}-${number.toString(BASE)}`;
      const own = join(directory, name);
      mkdirSync(own, { recursive: true, mode: 0o700 });
      const maps = { routes: join(own, "routes.map"), rows: join(own, "rows.map") };
      const admin = join(runtimeDirectory, name);
      const paths = { admin, log: join(runtimeDirectory, LOG_SOCKET), nodes, maps };
      const configFile = join(own, "haproxy.cfg");
      const mode = { mode: 0o600 };
      writeFileSync(maps.routes, renderMap(table.routes), mode);
      writeFileSync(maps.rows, renderMap(table.rows), mode);
      writeFileSync(configFile, renderConfig({ ...options, table, cookieKey, paths }), mode);
      return { configFile, admin, maps, remove: () => remove(name) };
    },
  };
}
