import { mkdir } from "node:fs/promises";
import { PARENT_ENTRY, SMALL_YOUNG_GENERATION, type ParentOptions } from "@mainstay/agent";
import { compilePlatform } from "../compile-platform.ts";
import type { PlatformConfig } from "@mainstay/api";
import { parentOptions } from "../parent-options.ts";
import { chooseDataDirectory, loadConfig, runtimeDirectoryFor, SERVER_ENTRY } from "@mainstay/server";
import type { Command } from "commander";
import { CliError, EXIT } from "../cli-error.ts";
import { refuseClashes } from "./refuse-clashes.ts";

interface UpOptions {
  config?: string;
  dataDirectory?: string;
}

/** `mainstay up`: checks the configuration, then becomes the parent of all processes of the platform. */
export function addUp(program: Command, print: (text: string) => void): void {
  program
    .command("up")
    .description("Start the platform here: server, agent, proxy and, without DATABASE_URL, PostgreSQL")
    .option("--config <file>", "instead of mainstay.platform.yaml in this directory")
    .option("--data-directory <path>", "where everything is kept")
    .addHelpText(
      "after",
      "\nStops in order on Ctrl-C or SIGTERM: requests are drained, instances stopped.\n\nExample:\n  mainstay up --data-directory /srv/mainstay",
    )
    .action((options: UpOptions) => up(options, print));
}

async function up(options: UpOptions, print: (text: string) => void): Promise<void> {
  const overrides = options.dataDirectory ? { dataDirectory: options.dataDirectory } : {};
  const { config, file } = await loadConfig({
    file: options.config,
    env: process.env,
    cwd: process.cwd(),
    overrides,
  });
  const uid = process.getuid?.() ?? 0;
  const dataDirectory = placeData(config, { isRoot: uid === 0, print });
  await mkdir(dataDirectory, { recursive: true, mode: 0o755 });
  const runtimeDirectory = await runtimeDirectoryFor({ dataDirectory, env: process.env, uid });
  await refuseClashes({ dataDirectory, runtimeDirectory, addresses: addressesOf(config) });
  print(`Mainstay keeps its data in ${dataDirectory}`);
  print(`API and console  http://${config.server.host}:${config.server.port}`);
  print(`traffic          http://${config.proxy.host}:${config.proxy.port}`);
  const { host, tls } = config.proxy;
  if (tls.port !== null) print(`HTTPS            https://${host}:${tls.port}`);
  if (config.server.publicHost !== null) print(`API from outside https://${config.server.publicHost}`);
  const server = {
    command: [process.execPath, SMALL_YOUNG_GENERATION, SERVER_ENTRY, ...(file ? ["--config", file] : [])],
    env: { MAINSTAY_DATA_DIRECTORY: dataDirectory },
  };
  const cache = await compilePlatform(dataDirectory);
  become(PARENT_ENTRY, parentOptions(config, { dataDirectory, runtimeDirectory, server }), cache);
}

function addressesOf({ server, proxy }: PlatformConfig) {
  const { host, tls } = proxy;
  return [server, proxy, ...(tls.port === null ? [] : [{ host, port: tls.port }])];
}

/**
 * PostgreSQL refuses to run as root, so the embedded one needs a directory that another account can reach.
 */
function placeData(
  config: PlatformConfig,
  { isRoot, print }: { isRoot: boolean; print: (text: string) => void },
): string {
  if (config.database.url !== null) return config.dataDirectory;
  const { directory, moved, reason } = chooseDataDirectory(config.dataDirectory, { isRoot });
  if (moved) print(`Not in ${config.dataDirectory}: ${reason}.`);
  return directory;
}

/** Replaces this process, so that the parent is small and keeps this pid. */
function become(entry: string, options: ParentOptions, compileCache: string): never {
  if (!process.execve)
    throw new CliError("this system cannot replace a process", EXIT.failed, "Mainstay runs on Linux.");
  const env = { ...definedEnvironment(), NODE_COMPILE_CACHE: compileCache };
  process.execve(process.execPath, [process.execPath, entry, JSON.stringify(options)], env);
  throw new Error("execve does not return");
}

function definedEnvironment(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(process.env).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])),
  );
}
