import { existsSync, statSync } from "node:fs";
import path from "node:path";
import {
  checkConfig,
  chooseDataDirectory,
  CONFIG_FILE,
  runtimePathFor,
  type CheckedConfig,
} from "@mainstay/server";
import { LAYOUT } from "../install/layout.ts";
import type { Machine } from "../install/machine.ts";

/** The installation that is looked at: the one of this directory, or that of the machine. */
export interface Patient {
  machine: Machine;
  /** Installed by `mainstay install`, run by systemd. */
  isInstalled: boolean;
  checked: CheckedConfig;
  dataDirectory: string;
  runtimeDirectory: string;
}

/** Finds the installation; alters nothing. */
export async function findPatient(
  machine: Machine,
  { config, dataDirectory }: { config?: string; dataDirectory?: string },
): Promise<Patient> {
  const cwd = process.cwd();
  const isHere =
    config !== undefined || dataDirectory !== undefined || existsSync(path.join(cwd, CONFIG_FILE));
  const isInstalled = !isHere && existsSync(LAYOUT.configFile);
  const overrides: Record<string, string> = dataDirectory === undefined ? {} : { dataDirectory };
  const file = isInstalled ? LAYOUT.configFile : config;
  const env = isInstalled ? {} : process.env;
  const checked = await checkConfig({ file, env, cwd, overrides });
  const wanted = checked.loaded?.config.dataDirectory ?? dataDirectory ?? LAYOUT.data;
  const isEmbedded = checked.loaded?.config.database.url === null;
  const isRoot = process.getuid?.() === 0;
  const place = isEmbedded ? chooseDataDirectory(wanted, { isRoot }).directory : wanted;
  const uid = isInstalled && existsSync(place) ? statSync(place).uid : (process.getuid?.() ?? 0);
  const session = isInstalled ? { XDG_RUNTIME_DIR: LAYOUT.runtime } : process.env;
  const runtimeDirectory = await runtimePathFor({ dataDirectory: place, env: session, uid });
  return { machine, isInstalled, checked, dataDirectory: place, runtimeDirectory };
}
