import { existsSync } from "node:fs";
import { readlink } from "node:fs/promises";
import path from "node:path";
import type { PlatformConfig } from "@mainstay/api";
import { loadConfig } from "@mainstay/server";
import { DEBIAN_DATABASE_URL, LAYOUT } from "./layout.ts";
import type { Machine } from "./machine.ts";

/** What was asked for; where a configuration is there already, it says so instead. */
export interface Wishes {
  /** The tree that is to be installed, and its version. */
  source: string;
  version: string;
  trafficPort: number;
  /** Debian's own PostgreSQL, the one Mainstay brings, or the one at this URL. */
  database: { kind: "debian" } | { kind: "embedded" } | { kind: "url"; url: string };
  hasHaproxy: boolean;
}

/** The configuration file for a fresh installation. */
export function writeConfig({ database, trafficPort }: Wishes): string {
  const url = { debian: DEBIAN_DATABASE_URL, embedded: null, url: "" }[database.kind];
  return [
    "# Written by `mainstay install`, yours from then on. Every key: docs/reference/configuration.md",
    "# After a change: mainstay install (it takes over what changed), or systemctl restart mainstay-server",
    `dataDirectory: ${LAYOUT.data}`,
    `proxy: { port: ${trafficPort} }`,
    `database: { url: ${JSON.stringify(database.kind === "url" ? database.url : url)} }`,
    "",
  ].join("\n");
}

/** The configuration of the installation on a machine; null where there is none. */
export async function readInstalledConfig(machine: Machine): Promise<PlatformConfig | null> {
  const file = machine.path(LAYOUT.configFile);
  if (!existsSync(file)) return null;
  return (await loadConfig({ file, env: {}, cwd: path.dirname(file) })).config;
}

/** The version a link in /opt/mainstay leads to; null where there is none. */
export async function versionAt(machine: Machine, link: string): Promise<string | null> {
  return readlink(machine.path(link)).catch(() => null);
}
