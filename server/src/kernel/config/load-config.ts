import { readFile, stat } from "node:fs/promises";
import { dirname, isAbsolute, join, relative, resolve } from "node:path";
import {
  AppError,
  describeIssues,
  explain,
  platformFile,
  readYaml,
  type FieldError,
  type KeeperConfig,
  type PlatformConfig,
} from "@mainstay/api";
import { isSecretName, MASK, maskSecrets } from "../redact.ts";
import { locateFilesOf, locateSecretsOf, locateTarget } from "./channel-files.ts";
import { locateConnectionFiles } from "./connection-files.ts";
import { describeEphemeralClash } from "./ephemeral-ports.ts";
import { PLATFORM_KEYS } from "./keys.ts";
import { mergeLayers, valueAt, type ConfigSource, type Layers, type LayersRequest } from "./layers.ts";
import { describeRelabelFaults } from "./relabel-faults.ts";
import { reasonOf } from "../reason-of.ts";

export const CONFIG_FILE = "mainstay.platform.yaml";

const FILE_LIMIT_BYTES = 1024 ** 2;

export interface ConfigRequest extends LayersRequest {
  /** From the flag --config; must exist. Without it, the file of the usual name is read if there is one. */
  file?: string | undefined;
  cwd: string;
}

export interface LoadedConfig {
  config: PlatformConfig;
  /** Absolute; null when there is none. */
  file: string | null;
  /** By path of a key: where the value came from, and how it was written there. */
  sources: Record<string, ConfigSource>;
  written: Record<string, unknown>;
}

export interface CheckedConfig {
  file: string | null;
  findings: FieldError[];
  /** Null when there are findings. */
  loaded: LoadedConfig | null;
}

/**
 * The platform's configuration: flag before variable before file before default. Throws CONFIG_INVALID with
 * every finding, or CONFIG_UNREADABLE.
 */
export async function loadConfig(request: ConfigRequest): Promise<LoadedConfig> {
  const { loaded, findings, file } = await checkConfig(request);
  if (loaded) return loaded;
  const blamed = file ? nameFrom(request.cwd, file) : "the environment";
  throw new AppError("CONFIG_INVALID", { file: blamed }, { errors: findings });
}

/** Everything that is wrong with the configuration, if anything. Throws only CONFIG_UNREADABLE. */
export async function checkConfig(request: ConfigRequest): Promise<CheckedConfig> {
  const file = await findFile(request);
  const name = file ? nameFrom(request.cwd, file) : CONFIG_FILE;
  const content = file ? await readConfigFile(file, name) : { data: {}, findings: [] };
  if (content.findings.length > 0) return { file, findings: content.findings, loaded: null };

  const layers = mergeLayers(request, { data: content.data, name });
  const parsed = platformFile.safeParse(layers.merged, { error: explain });
  const issues = parsed.success
    ? [
        ...(await describeEphemeralClash(parsed.data.agent.portRange)),
        ...(await describeRelabelFaults(parsed.data)),
      ]
    : describeIssues(parsed.error, platformFile);
  const findings = [...layers.findings, ...issues.map((finding) => explainOrigin(finding, layers))];
  if (!parsed.success || findings.length > 0) return { file, findings, loaded: null };
  return { file, findings, loaded: complete({ request, file, layers, config: parsed.data }) };
}

async function findFile({ file, cwd }: ConfigRequest): Promise<string | null> {
  if (file !== undefined) return resolve(cwd, file);
  const usual = join(cwd, CONFIG_FILE);
  return stat(usual).then(
    () => usual,
    (error: unknown) => (isMissing(error) ? null : usual),
  );
}

async function readConfigFile(
  file: string,
  name: string,
): Promise<{ data: unknown; findings: FieldError[] }> {
  try {
    const { size } = await stat(file);
    if (size > FILE_LIMIT_BYTES) throw new Error(`it is larger than ${FILE_LIMIT_BYTES} bytes`);
    return { data: readYaml(await readFile(file, "utf8"), name), findings: [] };
  } catch (error) {
    if (error instanceof AppError) return { data: {}, findings: error.errors };
    throw new AppError("CONFIG_UNREADABLE", { file: name, reason: whyUnread(error) }, { cause: error });
  }
}

interface Parts {
  request: ConfigRequest;
  file: string | null;
  layers: Layers;
  config: PlatformConfig;
}

/** Paths of the file are relative to the file, those of variables and flags to the working directory. */
function complete({ request, file, layers, config }: Parts): LoadedConfig {
  const { sources, merged } = layers;
  const locate = (key: string, path: string): string => {
    const isFromFile = sources[key]?.kind === "file" && file !== null;
    return resolve(isFromFile ? dirname(file) : request.cwd, path);
  };
  const written = PLATFORM_KEYS.map((key) => [key.path, valueAt(merged, key.path) ?? key.default]);
  return { config: locateFiles(config, locate), file, sources, written: Object.fromEntries(written) };
}

function locateFiles(config: PlatformConfig, locate: (key: string, path: string) => string): PlatformConfig {
  const { tls } = config.proxy;
  const certificates = tls.certificates.map(({ cert, key }) => ({
    cert: locate("proxy.tls.certificates", cert),
    key: locate("proxy.tls.certificates", key),
  }));
  const { caFile } = config.acme;
  const { scrape, rules, remote, remoteWrite } = config.metrics;
  const { url } = config.beat;
  const { keyFile, passphraseFile } = config.secrets;
  const locateKeeper = (path: string) => locate("audit.keepers", path);
  return {
    ...config,
    audit: { ...config.audit, keepers: locateKeepers(config.audit.keepers, locateKeeper) },
    channels: locateFilesOf(config.channels, (file) => locate("channels", file)),
    beat: { ...config.beat, url: url && locateTarget(url, (file) => locate("beat.url", file)) },
    identity: locateSecretsOf(config.identity, (file) => locate("identity.oidc", file)),
    dataDirectory: locate("dataDirectory", config.dataDirectory),
    proxy: { ...config.proxy, tls: { ...tls, certificates } },
    acme: { ...config.acme, caFile: caFile === null ? null : locate("acme.caFile", caFile) },
    metrics: {
      ...config.metrics,
      scrape: { ...scrape, file: scrape.file && locate("metrics.scrape.file", scrape.file) },
      rules: { ...rules, files: rules.files.map((each) => locate("metrics.rules.files", each)) },
      remote: {
        ...remote,
        ...locateConnectionFiles(remote, (key, path) => locate(`metrics.remote.${key}`, path)),
      },
      remoteWrite: remoteWrite.map((each) => ({
        ...each,
        ...locateConnectionFiles(each, (_, path) => locate("metrics.remoteWrite", path)),
      })),
    },
    secrets: {
      ...config.secrets,
      keyFile: keyFile && locate("secrets.keyFile", keyFile),
      passphraseFile: passphraseFile && locate("secrets.passphraseFile", passphraseFile),
    },
  };
}

function locateKeepers(
  keepers: Record<string, KeeperConfig>,
  locate: (path: string) => string,
): Record<string, KeeperConfig> {
  const located = Object.entries(keepers).map(([name, keeper]) => [
    name,
    keeper.kind === "file" ? { ...keeper, path: locate(keeper.path) } : keeper,
  ]);
  return Object.fromEntries(located);
}

/** Adds where a wrong value stands and what it is; for a key in the wrong place, where it belongs. */
function explainOrigin({ path, message }: FieldError, { merged, sources }: Layers): FieldError {
  const key = PLATFORM_KEYS.find((each) => path === each.path || path.startsWith(`${each.path}.`));
  if (key) {
    const source = sources[key.path];
    const says = source === undefined || source.kind === "default" ? "the default is" : `${source.name} says`;
    // Where a secret stands in place of its whereabouts, too.
    const names = path.slice(key.path.length).split(".");
    const isSecret = key.isSecret || names.some(isSecretName);
    return {
      path,
      message: `${message}; ${says} ${showValue(valueAt(merged, path) ?? key.default, isSecret)}`,
    };
  }
  const isStray = message.startsWith("unknown key") && !message.includes("did you mean");
  const name = path.split(".").at(-1);
  const namesakes = PLATFORM_KEYS.map((each) => each.path).filter((each) => each.endsWith(`.${name}`));
  if (!isStray || namesakes.length === 0) return { path, message };
  return { path, message: `unknown key; did you mean ${namesakes.join(" or ")}?` };
}

const SHOWN_LIMIT = 80;

function showValue(value: unknown, isSecret: boolean): string {
  if (isSecret) return MASK;
  const text = maskSecrets(JSON.stringify(value) ?? String(value));
  return text.length > SHOWN_LIMIT ? `${text.slice(0, SHOWN_LIMIT)}…` : text;
}

function whyUnread(error: unknown): string {
  if (isMissing(error)) return "there is no such file";
  return reasonOf(error);
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}

/** Short where the file is below the working directory. */
function nameFrom(cwd: string, file: string): string {
  const path = relative(cwd, file);
  return path.startsWith("..") || isAbsolute(path) ? file : path;
}
