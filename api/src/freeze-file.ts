import { z } from "zod";

/**
 * Windows in which nothing new is brought into production; in `mainstay.yaml` and `mainstay.platform.yaml`.
 */

const DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const DAY_MINUTES = 24 * 60;

/** Wall-clock time: of every day, of every week (Monday 00:00 is 0), or once (ms as if it were UTC). */
type Moment = { every: "day" | "week"; minutes: number } | { every: null; wallMs: number };

export interface FreezeWindow {
  every: "day" | "week" | null;
  /** Minutes of the day or week, or a wall-clock time in ms as if it were UTC. */
  from: number;
  to: number;
  timezone: string;
  reason: string;
}

const MOMENT_MESSAGE = 'expected a time such as "22:00", "fri 16:00" or "2026-12-20 18:00"';

/** "22:00", "fri 16:00", "2026-12-20 18:00" → a moment; null when the text is none of them. */
export function parseMoment(text: string): Moment | null {
  const match = /^(?:(\w{3})\s+|(\d{4}-\d{2}-\d{2})[ T])?(\d{2}):(\d{2})$/.exec(text.trim().toLowerCase());
  if (!match) return null;
  const [, day, date, hour, minute] = match;
  const minutes = Number(hour) * 60 + Number(minute);
  if (Number(minute) > 59 || minutes > DAY_MINUTES) return null;
  if (date !== undefined) {
    const midnightMs = Date.parse(`${date}T00:00:00Z`);
    return Number.isNaN(midnightMs) ? null : { every: null, wallMs: midnightMs + minutes * 60_000 };
  }
  if (day === undefined) return { every: "day", minutes: minutes % DAY_MINUTES };
  const weekday = DAYS.indexOf(day);
  if (weekday === -1) return null;
  return { every: "week", minutes: (weekday * DAY_MINUTES + minutes) % (7 * DAY_MINUTES) };
}

function isTimezone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: name }).resolvedOptions().timeZone !== "";
  } catch {
    return false;
  }
}

const moment = z.string(MOMENT_MESSAGE).transform((text, context): Moment => {
  const parsed = parseMoment(text);
  if (parsed) return parsed;
  context.addIssue({ code: "custom", message: MOMENT_MESSAGE, input: text });
  return z.NEVER;
});

const freezeWindow = z
  .strictObject({
    from: moment.describe(
      'When it begins: "22:00" (every day), "fri 16:00" (every week) or "2026-12-20 18:00".',
    ),
    to: moment.describe("When it ends, in the same form."),
    timezone: z
      .string()
      .refine(isTimezone, 'expected the name of a time zone such as "Europe/Berlin"')
      .default("UTC")
      .describe("Whose wall clock counts."),
    reason: z
      .string()
      .min(1, "expected the reason, which everybody is told")
      .max(200)
      .describe("Told to everybody."),
  })
  .transform(({ from, to, timezone, reason }, context): FreezeWindow => {
    const [start, end] = [valueOf(from), valueOf(to)];
    if (from.every !== to.every) {
      context.addIssue({
        code: "custom",
        path: ["to"],
        message: 'expected the same form as "from"',
        input: to,
      });
    } else if (start === end || (from.every === null && end < start)) {
      context.addIssue({ code: "custom", path: ["to"], message: 'expected a time behind "from"', input: to });
    }
    return { every: from.every, from: start, to: end, timezone, reason };
  });

function valueOf(each: Moment): number {
  return each.every === null ? each.wallMs : each.minutes;
}

export const freezeList = z.array(freezeWindow).max(50);
