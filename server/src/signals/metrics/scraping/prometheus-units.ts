import { z } from "zod";

/** Durations and sizes as Prometheus' configuration writes them, which is not how Mainstay's own does. */

const DURATION = /^(?:(\d+)y)?(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?$/;
const DAY_MS = 86_400_000;
const UNITS_MS = [365 * DAY_MS, 7 * DAY_MS, DAY_MS, 3_600_000, 60_000, 1000, 1];

const SIZE = /^(\d+(?:\.\d+)?)([KMGTPE]?)(i?)B$/;
const PREFIXES = "KMGTPE";

/** Text → milliseconds. */
export function duration() {
  const message = 'expected a duration such as "15s", "500ms" or "1m30s"';
  return z.string(message).transform((text, context) => {
    const match = text === "" ? null : DURATION.exec(text);
    if (match)
      return UNITS_MS.reduce((sum, unitMs, index) => sum + unitMs * Number(match[index + 1] ?? 0), 0);
    context.addIssue({ code: "custom", message, input: text });
    return z.NEVER;
  });
}

/** Text → bytes; a prefix stands for a power of 1024 with and without "i". 0: no limit. */
export function size() {
  const message = 'expected a size such as "10MB", or 0 for no limit';
  return z.union([z.literal(0), z.string()], message).transform((text, context) => {
    if (text === 0 || text === "0") return 0;
    const match = SIZE.exec(text);
    if (match) return Math.round(Number(match[1]) * 1024 ** (PREFIXES.indexOf(match[2] || " ") + 1));
    context.addIssue({ code: "custom", message, input: text });
    return z.NEVER;
  });
}
