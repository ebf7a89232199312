import { z } from "zod";

const DURATION_MS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const SIZE_BYTES: Record<string, number> = {
  B: 1,
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
};

function parseWithUnit(text: string, units: Record<string, number>): number | null {
  const match = /^(\d+(?:\.\d+)?)\s*([A-Za-z]+)$/.exec(text.trim());
  const factor = match && units[match[2] ?? ""];
  if (!match || factor === undefined || factor === null) return null;
  return Math.round(Number(match[1]) * factor);
}

/** "1h30m", "500ms", "10s" → milliseconds; null when the text is not a duration. */
export function parseDurationMs(text: string): number | null {
  const parts = text.trim().match(/\d+(?:\.\d+)?\s*(?:ms|s|m|h|d)/g);
  if (!parts || parts.join("") !== text.trim()) return null;
  return parts.reduce((sum, part) => sum + (parseWithUnit(part, DURATION_MS) ?? 0), 0);
}

/** "512MiB", "1.5GB" → bytes; null when the text is not a size. */
export function parseSizeBytes(text: string): number | null {
  return parseWithUnit(text, SIZE_BYTES);
}

/** "10%", "0.5%" → a share between 0 and 1; null when the text is not a percentage from 0% to 100%. */
export function parseShare(text: string): number | null {
  const match = /^(\d+(?:\.\d+)?)\s*%$/.exec(text.trim());
  if (!match) return null;
  const share = Number(match[1]) / 100;
  return share <= 1 ? share : null;
}

/** Milliseconds → the shortest exact text of `parseDurationMs`, e.g. 90000 → "1m30s". */
export function formatDuration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)}ms`;
  const parts: string[] = [];
  let rest = Math.round(ms);
  for (const unit of ["d", "h", "m", "s", "ms"]) {
    const count = Math.floor(rest / (DURATION_MS[unit] ?? 1));
    if (count > 0) parts.push(`${count}${unit}`);
    rest -= count * (DURATION_MS[unit] ?? 1);
  }
  return parts.slice(0, 2).join("");
}

/** A share between 0 and 1 → "10%". */
export function formatShare(share: number): string {
  return `${Number((share * 100).toFixed(2))}%`;
}

function unitSchema(expected: string, parse: (text: string) => number | null) {
  return z.string().transform((text, context) => {
    const value = parse(text);
    if (value !== null) return value;
    context.addIssue({ code: "custom", message: `expected ${expected}`, input: text });
    return z.NEVER;
  });
}

/** Text in YAML or JSON → milliseconds. */
export const duration = () => unitSchema('a duration such as "500ms", "10s" or "1h30m"', parseDurationMs);
/** Text in YAML or JSON → bytes. */
export const size = () => unitSchema('a size such as "512MiB" or "1GB"', parseSizeBytes);
/** Text in YAML or JSON → a share between 0 and 1. */
export const percentage = () => unitSchema('a percentage from "0%" to "100%"', parseShare);
