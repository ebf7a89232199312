import { join } from "node:path";
import { CorruptionError } from "../codec/bytes.ts";
import { readFile, type Disk } from "../disk.ts";

export const BLOCK_VERSION = 1;

/** What meta.json of a block says. */
export interface BlockMeta {
  version: number;
  id: string;
  /** 0 for samples as they came, else the width of its buckets. */
  resolutionMs: number;
  /** Holds times from here … */
  minMs: number;
  /** … up to but without this one. */
  maxMs: number;
  series: number;
  samples: number;
  pagesBytes: number;
  indexBytes: number;
  /** Whether it was cut from the head, which never goes back behind it. */
  isFromHead: boolean;
  /** Whether any of it was imported: at its time there may be samples that it does not hold. */
  isImported: boolean;
  /** Blocks it stands for: they are removed, and not read beside it. */
  replaces: string[];
  /** Whether coarser blocks were made of what it holds. */
  gathered: boolean;
  /** Rules of retention that took series out of it. */
  appliedRules: string[];
}

export function encodeMeta(meta: BlockMeta): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(meta, null, 2)}\n`);
}

/** Reads and checks meta.json of a block's directory. */
export function readMeta(disk: Disk, directory: string): BlockMeta {
  const meta = parse(new TextDecoder().decode(readFile(disk, join(directory, "meta.json"))));
  if (meta === null) throw new CorruptionError("meta.json is not that of a block");
  if (meta.version !== BLOCK_VERSION) throw new CorruptionError(`version ${meta.version} is not known here`);
  return meta;
}

function parse(text: string): BlockMeta | null {
  const value: unknown = tryJson(text);
  if (typeof value !== "object" || value === null) return null;
  // Blocks of before imports were told apart do not say it.
  const meta = { isImported: false, ...value };
  return isMeta(meta) ? meta : null;
}

function tryJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

const NUMBERS = [
  "version",
  "resolutionMs",
  "minMs",
  "maxMs",
  "series",
  "samples",
  "pagesBytes",
  "indexBytes",
];

function isMeta(value: object): value is BlockMeta {
  const fields = new Map<string, unknown>(Object.entries(value));
  const isList = (field: unknown) => Array.isArray(field) && field.every((each) => typeof each === "string");
  return (
    NUMBERS.every((name) => Number.isSafeInteger(fields.get(name))) &&
    typeof fields.get("id") === "string" &&
    ["isFromHead", "isImported", "gathered"].every((name) => typeof fields.get(name) === "boolean") &&
    isList(fields.get("replaces")) &&
    isList(fields.get("appliedRules"))
  );
}
