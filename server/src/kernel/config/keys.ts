import { platformFile, SECRET_PLATFORM_PATHS, unwrap } from "@mainstay/api";
import { parse as parseYaml } from "yaml";
import { z } from "zod";

/** One key of mainstay.platform.yaml. */
export interface PlatformKey {
  /** As in "server.port". */
  path: string;
  /** As in MAINSTAY_SERVER_PORT. */
  variable: string;
  description: string;
  /** As it would be written in the file. */
  default: unknown;
  isSecret: boolean;
  /** Whether the file holds text there; if not, variables and flags are read as the file would be. */
  isText: boolean;
}

/** Every key, in the order of the schema. */
export const PLATFORM_KEYS: readonly PlatformKey[] = readKeys(platformFile, []);

function readKeys(schema: z.ZodObject, parents: string[]): PlatformKey[] {
  return Object.entries(schema.shape).flatMap(([name, child]) => {
    const path = [...parents, name];
    const section = sectionOf(child);
    return section ? readKeys(section, path) : [readKey(child, path)];
  });
}

/** What may be null is no section but one value: its parts mean nothing without each other. */
function sectionOf(schema: z.core.$ZodType): z.ZodObject | null {
  if (schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault)
    return sectionOf(schema.def.innerType);
  return schema instanceof z.ZodObject ? schema : null;
}

function readKey(schema: z.core.$ZodType, segments: string[]): PlatformKey {
  const path = segments.join(".");
  const hasDefault = schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault;
  if (!hasDefault || schema.description === undefined)
    throw new Error(`${path} needs a default and a description`);
  const inner = unwrap(schema);
  return {
    path,
    variable: variableOf(segments),
    description: schema.description,
    default: schema.def.defaultValue,
    isSecret: SECRET_PLATFORM_PATHS.includes(path),
    isText: inner instanceof z.ZodString || inner instanceof z.ZodEnum || inner instanceof z.ZodPipe,
  };
}

/** ["server", "bodyLimit"] → MAINSTAY_SERVER_BODY_LIMIT */
function variableOf(segments: string[]): string {
  const words = segments.flatMap((segment) => segment.split(/(?=[A-Z])/));
  return ["MAINSTAY", ...words].join("_").toUpperCase();
}

/** The text of a variable or a flag → what the file would hold. */
export function readText(key: PlatformKey, text: string): unknown {
  if (key.isText) return text;
  try {
    const value: unknown = parseYaml(text);
    return value;
  } catch {
    // The schema says what was expected instead.
    return text;
  }
}
