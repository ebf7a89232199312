import { existsSync } from "node:fs";
import { isIP } from "node:net";
import path from "node:path";
import { CliError, EXIT } from "./cli-error.ts";
import { LAYOUT } from "./install/layout.ts";

const DEFAULT_URL = "http://127.0.0.1:7700";

/** Which server a command speaks to. What reads files about it is loaded where files have to be read. */
export interface ServerChoice {
  url: string;
  token: string | null;
  /** The name of the remote; null for a server given by its address, or found here. */
  remote: string | null;
  /** Whether the server reads the files of this machine. */
  isHere: boolean;
}

export interface ChoiceOptions {
  url?: string | undefined;
  token?: string | undefined;
  remote?: string | undefined;
}

/**
 * What was said most plainly comes first: --url, --remote, MAINSTAY_URL, the remote in use, the platform on
 * this machine.
 */
export async function chooseServer(options: ChoiceOptions, env: NodeJS.ProcessEnv): Promise<ServerChoice> {
  if (options.url !== undefined && options.remote !== undefined)
    throw new CliError("--url and --remote name two servers", EXIT.usage, "Give one of them.");
  const token = options.token ?? env["MAINSTAY_TOKEN"];
  const address = options.url ?? (options.remote === undefined ? env["MAINSTAY_URL"] : undefined);
  if (address !== undefined) return byAddress(address, token);
  const { LOCAL, loginAt, readRemotes, remoteNamed, remotesPath } = await import("./remotes.ts");
  if (options.remote === LOCAL) return here(token);
  const remotes = await readRemotes(remotesPath(env));
  const name = options.remote ?? remotes.default;
  if (name === null) return here(token);
  const { url, key } = remoteNamed(remotes, name);
  const stored = loginAt(remotes, url)?.token ?? key;
  return { url, token: options.token ?? stored, remote: name, isHere: false };
}

async function byAddress(address: string, token: string | undefined): Promise<ServerChoice> {
  const url = withoutSlash(address);
  return { url, token: token ?? (await tokenOfLogin(url)), remote: null, isHere: isLoopback(url) };
}

async function here(token: string | undefined): Promise<ServerChoice> {
  const loaded = await localConfig();
  const url = loaded ? `http://${loaded.config.server.host}:${loaded.config.server.port}` : DEFAULT_URL;
  return { url, token: token ?? (await tokenOfLogin(url)), remote: null, isHere: true };
}

async function tokenOfLogin(url: string): Promise<string | null> {
  const { loginAt, readRemotes, remotesPath } = await import("./remotes.ts");
  return loginAt(await readRemotes(remotesPath(process.env)), url)?.token ?? null;
}

/** "https://host/" → "https://host" */
export function withoutSlash(url: string): string {
  return url.replace(/\/+$/, "");
}

/** Whether an address leads to this machine itself. */
export function isLoopback(url: string): boolean {
  const hostname = URL.parse(url)?.hostname.replace(/^\[|\]$/g, "") ?? "";
  if (hostname === "localhost" || hostname.endsWith(".localhost")) return true;
  return (isIP(hostname) === 4 && hostname.startsWith("127.")) || hostname === "::1";
}

/** Where the platform on this machine keeps its data; null when its configuration cannot be read. */
export async function localDataDirectory(): Promise<string | null> {
  const [loaded, { chooseDataDirectory }] = [await localConfig(), await import("@mainstay/server")];
  if (!loaded) return null;
  const { dataDirectory, database } = loaded.config;
  const isRoot = process.getuid?.() === 0;
  return database.url === null ? chooseDataDirectory(dataDirectory, { isRoot }).directory : dataDirectory;
}

/** The configuration of the directory one stands in; else the one of the installation on this machine. */
async function localConfig() {
  const { CONFIG_FILE, loadConfig } = await import("@mainstay/server");
  const cwd = process.cwd();
  const isInstalled = !existsSync(path.join(cwd, CONFIG_FILE)) && existsSync(LAYOUT.configFile);
  const file = isInstalled ? LAYOUT.configFile : undefined;
  return loadConfig({ env: process.env, cwd, file }).catch(() => null);
}
