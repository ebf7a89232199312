import { closest } from "./closest.ts";
import { AppError } from "./errors.ts";

/** Environments of one service file: what stands under `environments.<name>` is put over the rest. */

type Section = Record<string, unknown>;

export interface OverlayQuestion {
  file: string;
  /** The one that is asked for; that of the file, else production, when undefined. */
  environment: string | undefined;
}

const DEFAULT_ENVIRONMENT = "production";
/**
 * What an overlay cannot change: it would be another service, another environment, or other files than those
 * that were proven in the environment before.
 */
const FIXED = ["service", "environment", "environments", "build"];

/**
 * The data of a service file as it is meant for one environment. Sections are merged key by key; lists and
 * single values replace what stands there; null takes it away, so that the default holds. Throws
 * CONFIG_INVALID when the file names its environments and this is none of them.
 */
export function applyOverlay(data: unknown, { file, environment }: OverlayQuestion): unknown {
  if (!isSection(data)) return data;
  const { environments, ...rest } = data;
  const own = rest["environment"] ?? DEFAULT_ENVIRONMENT;
  const wanted = environment ?? own;
  const named = { ...rest, environment: wanted };
  // What is no section at all is left to the schema, which says what was expected.
  if (environments === undefined || typeof wanted !== "string") return named;
  if (!isSection(environments)) return data;
  const overlay = Object.hasOwn(environments, wanted) ? environments[wanted] : undefined;
  if (overlay === undefined && wanted !== own)
    throw unknownEnvironment(wanted, { file, known: Object.keys(environments), own });
  if (overlay === undefined || overlay === null) return named;
  if (!isSection(overlay)) throw invalid(file, `environments.${wanted}`, "expected keys with values");
  const fixed = FIXED.find((key) => overlay[key] !== undefined);
  if (fixed) throw invalid(file, `environments.${wanted}.${fixed}`, "cannot differ between environments");
  return merge(named, overlay);
}

function merge(below: Section, above: Section): Section {
  const merged: Section = { ...below };
  for (const [key, value] of Object.entries(above)) {
    const base = merged[key];
    if (value === null) delete merged[key];
    else merged[key] = isSection(base) && isSection(value) ? merge(base, value) : value;
  }
  return merged;
}

function unknownEnvironment(
  wanted: string,
  { file, known, own }: { file: string; known: string[]; own: unknown },
): AppError {
  const names = [...new Set([...known, String(own)])];
  const meant = closest(wanted, names);
  const hint = meant ? `did you mean ${meant}?` : `it has ${names.join(", ")}`;
  return invalid(file, "environments", `the file knows no environment ${wanted}; ${hint}`);
}

function invalid(file: string, path: string, message: string): AppError {
  return new AppError("CONFIG_INVALID", { file }, { errors: [{ path, message }] });
}

function isSection(value: unknown): value is Section {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
