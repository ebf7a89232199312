import { closest, type FieldError } from "@mainstay/api";
import { PLATFORM_KEYS, readText, type PlatformKey } from "./keys.ts";

/** The command line's own variables; they say where a server is, not how it is set up. */
const VARIABLES_OF_OTHERS = ["MAINSTAY_URL", "MAINSTAY_TOKEN"];
/** What hosting platforms call the address of a database. */
const DATABASE_VARIABLE = "DATABASE_URL";

export interface ConfigSource {
  kind: "default" | "file" | "env" | "flag";
  /** The file, the variable or the flag. */
  name: string;
}

export interface LayersRequest {
  env: Readonly<Record<string, string | undefined>>;
  /** From flags: path → text, as in { "server.port": "7800" }. */
  overrides?: Readonly<Record<string, string>>;
}

export interface Layers {
  /** The file's data with what variables and flags say put over it. */
  merged: unknown;
  /** By path of a key. */
  sources: Record<string, ConfigSource>;
  /** Variables and flags that nobody reads. */
  findings: FieldError[];
}

/** Puts the layers over each other: flag before variable before file. */
export function mergeLayers(request: LayersRequest, file: { data: unknown; name: string }): Layers {
  const merged = structuredClone(file.data);
  const sources: Record<string, ConfigSource> = {};
  for (const key of PLATFORM_KEYS) {
    const isInFile = valueAt(merged, key.path) !== undefined;
    sources[key.path] = isInFile ? { kind: "file", name: file.name } : { kind: "default", name: "default" };
    for (const { source, text } of statementsOn(key, request)) {
      if (setAt(merged, key.path, readText(key, text))) sources[key.path] = source;
    }
  }
  return { merged, sources, findings: findStrangers(request) };
}

interface Statement {
  source: ConfigSource;
  text: string;
}

/** What variables and flags say about a key, the strongest last. An empty variable says nothing. */
function statementsOn(key: PlatformKey, { env, overrides = {} }: LayersRequest): Statement[] {
  const variables = key.path === "database.url" ? [DATABASE_VARIABLE, key.variable] : [key.variable];
  const statements: Statement[] = variables
    .map((name) => ({ source: { kind: "env" as const, name }, text: env[name] ?? "" }))
    .filter(({ text }) => text !== "");
  const flag = overrides[key.path];
  if (flag === undefined) return statements;
  return [...statements, { source: { kind: "flag", name: `the flag for ${key.path}` }, text: flag }];
}

function findStrangers({ env, overrides = {} }: LayersRequest): FieldError[] {
  const variables = [...PLATFORM_KEYS.map((key) => key.variable), ...VARIABLES_OF_OTHERS];
  const paths = PLATFORM_KEYS.map((key) => key.path);
  const strangeVariables = Object.keys(env).filter(
    (name) => name.startsWith("MAINSTAY_") && !variables.includes(name),
  );
  const strangePaths = Object.keys(overrides).filter((path) => !paths.includes(path));
  return [
    ...strangeVariables.toSorted().map((name) => describeStranger("variable", name, variables)),
    ...strangePaths.map((path) => describeStranger("key", path, paths)),
  ];
}

function describeStranger(what: string, path: string, known: string[]): FieldError {
  const meant = closest(path, known);
  const hint = meant ? `did you mean ${meant}?` : "docs/reference/configuration.md lists them all";
  return { path, message: `unknown ${what}; ${hint}` };
}

/** What stands at a dotted path; undefined when nothing does. */
export function valueAt(data: unknown, path: string): unknown {
  let place = data;
  for (const name of path.split(".")) {
    if (typeof place !== "object" || place === null) return undefined;
    place = Object.entries(place).find(([key]) => key === name)?.[1];
  }
  return place;
}

/** False when something else than a section stands in the way, which the schema then refuses. */
function setAt(data: unknown, path: string, value: unknown): boolean {
  const names = path.split(".");
  const last = names.pop() ?? "";
  let place = data;
  for (const name of names) {
    if (!isSection(place)) return false;
    place = place[name] ??= {};
  }
  if (!isSection(place)) return false;
  place[last] = value;
  return true;
}

function isSection(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
