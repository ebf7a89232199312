import { z } from "zod";
import { formatDuration, parseDurationMs, parseShare, parseSizeBytes } from "./units.ts";

function unitSchema(expected: string, parse: (text: string) => number | null) {
  const message = `expected ${expected}`;
  return z.string(message).transform((text, context) => {
    const value = parse(text);
    if (value !== null) return value;
    context.addIssue({ code: "custom", message, input: text });
    return z.NEVER;
  });
}

/** Text in YAML or JSON → milliseconds. */
export const duration = () => unitSchema('a duration such as "500ms", "10s" or "1h30m"', parseDurationMs);
/** Text in YAML or JSON → bytes. */
export const size = () => unitSchema('a size such as "512MiB" or "1GB"', parseSizeBytes);
/** Text in YAML or JSON → a share between 0 and 1. */
export const percentage = () => unitSchema('a percentage from "0%" to "100%"', parseShare);

/** A duration, in milliseconds, within limits. */
export function durationWithin(minMs: number, maxMs: number) {
  const message = `expected a duration from ${formatDuration(minMs)} to ${formatDuration(maxMs)}`;
  return duration().refine((ms) => ms >= minMs && ms <= maxMs, message);
}

/** A size, in bytes, within limits. */
export function sizeWithin(minBytes: number, maxBytes: number, message: string) {
  return size().refine((bytes) => bytes >= minBytes && bytes <= maxBytes, message);
}
