import { readFile, stat } from "node:fs/promises";
import { dirname, isAbsolute, join, relative, resolve } from "node:path";
import {
  AppError,
  closest,
  describeIssues,
  explain,
  platformFile,
  readYaml,
  type FieldError,
  type PlatformConfig,
} from "@mainstay/api";
import { MASK, maskSecrets } from "../redact.ts";
import { PLATFORM_KEYS, readText, type PlatformKey } from "./keys.ts";
import { describeEphemeralClash } from "./ephemeral-ports.ts";

export const CONFIG_FILE = "mainstay.platform.yaml";

/** The command line's own variables; they say where a server is, not how it is set up. */
const VARIABLES_OF_OTHERS = ["MAINSTAY_URL", "MAINSTAY_TOKEN"];
/** What hosting platforms call the address of a database. */
const DATABASE_VARIABLE = "DATABASE_URL";
const FILE_LIMIT_BYTES = 1024 ** 2;

export interface ConfigRequest {
  /** From the flag --config; must exist. Without it, the file of the usual name is read where there is one. */
  file?: string | undefined;
  env: Readonly<Record<string, string | undefined>>;
  cwd: string;
  /** From flags: path → text, as in { "server.port": "7800" }. */
  overrides?: Readonly<Record<string, string>>;
}

export interface ConfigSource {
  kind: "default" | "file" | "env" | "flag";
  /** The file, the variable or the flag. */
  name: string;
}

export interface LoadedConfig {
  config: PlatformConfig;
  /** Absolute; null when there is none. */
  file: string | null;
  /** By path: where the value came from, and how it was written there. */
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
 * The platform's configuration: flag before variable before file before default. Throws CONFIG_INVALID with every
 * finding, or CONFIG_UNREADABLE.
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
  const issues = parsed.success ? [] : describeIssues(parsed.error, platformFile);
  const clashes = parsed.success ? await describeEphemeralClash(parsed.data.agent.portRange) : [];
  const findings = [
    ...layers.findings,
    ...[...issues, ...clashes].map((finding) => explainOrigin(finding, layers)),
  ];
  if (!parsed.success || findings.length > 0) return { file, findings, loaded: null };

  const { sources } = layers;
  const base = sources["dataDirectory"]?.kind === "file" && file ? dirname(file) : request.cwd;
  const config = { ...parsed.data, dataDirectory: resolve(base, parsed.data.dataDirectory) };
  const written = Object.fromEntries(
    PLATFORM_KEYS.map((key) => [key.path, valueAt(layers.merged, key.path) ?? key.default]),
  );
  return { file, findings: [], loaded: { config, file, sources, written } };
}

async function findFile({ file, cwd }: ConfigRequest): Promise<string | null> {
  if (file !== undefined) return resolve(cwd, file);
  const usual = join(cwd, CONFIG_FILE);
  const isThere = await stat(usual).then(
    () => true,
    (error: unknown) => !isMissing(error),
  );
  return isThere ? usual : null;
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
    const reason = isMissing(error)
      ? "there is no such file"
      : error instanceof Error
        ? error.message
        : "it fails";
    throw new AppError("CONFIG_UNREADABLE", { file: name, reason }, { cause: error });
  }
}

interface Layers {
  merged: unknown;
  sources: Record<string, ConfigSource>;
  findings: FieldError[];
}

/** The file's data with what variables and flags say put over it. */
function mergeLayers(request: ConfigRequest, file: { data: unknown; name: string }): Layers {
  const merged = structuredClone(file.data);
  const sources: Record<string, ConfigSource> = {};
  for (const key of PLATFORM_KEYS) {
    const isInFile = valueAt(merged, key.path) !== undefined;
    sources[key.path] = isInFile ? { kind: "file", name: file.name } : { kind: "default", name: "default" };
    for (const { source, text } of overridesOf(key, request)) {
      if (setAt(merged, key.path, readText(key, text))) sources[key.path] = source;
    }
  }
  return {
    merged,
    sources,
    findings: [...unknownVariables(request.env), ...unknownOverrides(request.overrides ?? {})],
  };
}

/** What variables and flags say about a key, the strongest last. An empty variable says nothing. */
function overridesOf(
  key: PlatformKey,
  { env, overrides = {} }: ConfigRequest,
): { source: ConfigSource; text: string }[] {
  const variables = key.path === "database.url" ? [DATABASE_VARIABLE, key.variable] : [key.variable];
  const fromVariables = variables.map((name) => ({
    source: { kind: "env" as const, name },
    text: env[name] ?? "",
  }));
  const flag = overrides[key.path];
  const fromFlag =
    flag === undefined
      ? []
      : [{ source: { kind: "flag" as const, name: `the flag for ${key.path}` }, text: flag }];
  return [...fromVariables.filter(({ text }) => text !== ""), ...fromFlag];
}

function unknownVariables(env: ConfigRequest["env"]): FieldError[] {
  const known = [...PLATFORM_KEYS.map((key) => key.variable), ...VARIABLES_OF_OTHERS];
  const strangers = Object.keys(env).filter((name) => name.startsWith("MAINSTAY_") && !known.includes(name));
  return strangers
    .toSorted()
    .map((name) => ({ path: name, message: unknown("variable", closest(name, known)) }));
}

function unknownOverrides(overrides: Readonly<Record<string, string>>): FieldError[] {
  const known = PLATFORM_KEYS.map((key) => key.path);
  const strangers = Object.keys(overrides).filter((path) => !known.includes(path));
  return strangers.map((path) => ({ path, message: unknown("key", closest(path, known)) }));
}

function unknown(what: string, meant: string | null): string {
  const hint = meant ? `did you mean ${meant}?` : "docs/reference/configuration.md lists them all";
  return `unknown ${what}; ${hint}`;
}

/** Adds where a wrong value stands and what it is; for a key in the wrong place, where it belongs. */
function explainOrigin(finding: FieldError, { merged, sources }: Layers): FieldError {
  const { path, message } = finding;
  const key = PLATFORM_KEYS.find((each) => path === each.path || path.startsWith(`${each.path}.`));
  if (key) {
    const source = sources[key.path];
    const shown = showValue(valueAt(merged, path) ?? key.default, key.isSecret);
    return {
      path,
      message: `${message}; ${source?.kind === "default" ? "the default" : source?.name} says ${shown}`,
    };
  }
  if (!message.startsWith("unknown key") || message.includes("did you mean")) return finding;
  const namesakes = PLATFORM_KEYS.filter((each) => each.path.endsWith(`.${path.split(".").at(-1)}`));
  if (namesakes.length === 0) return finding;
  return { path, message: `unknown key; did you mean ${namesakes.map((each) => each.path).join(" or ")}?` };
}

const SHOWN_LIMIT = 80;

function showValue(value: unknown, isSecret: boolean): string {
  if (isSecret) return MASK;
  const text = maskSecrets(JSON.stringify(value) ?? String(value));
  return text.length > SHOWN_LIMIT ? `${text.slice(0, SHOWN_LIMIT)}…` : text;
}

function valueAt(data: unknown, path: string): unknown {
  return path
    .split(".")
    .reduce(
      (value, name) => (isRecord(value) || Array.isArray(value) ? childOf(value, name) : undefined),
      data,
    );
}

function childOf(value: object, name: string): unknown {
  return Object.entries(value).find(([key]) => key === name)?.[1];
}

/** False when something else than a section stands in the way, which the schema then refuses. */
function setAt(data: unknown, path: string, value: unknown): boolean {
  const names = path.split(".");
  const last = names.pop();
  let place = data;
  for (const name of names) {
    if (!isRecord(place)) return false;
    place = place[name] ??= {};
  }
  if (!isRecord(place) || last === undefined) return false;
  place[last] = value;
  return true;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}

/** Short where the file is below the working directory. */
function nameFrom(cwd: string, file: string): string {
  const path = relative(cwd, file);
  return path.startsWith("..") || isAbsolute(path) ? file : path;
}
