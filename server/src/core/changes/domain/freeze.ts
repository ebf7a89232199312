import type { FreezeWindow } from "@mainstay/api";

const MINUTE_MS = 60_000;
const DAY_MINUTES = 24 * 60;
const PERIOD_MINUTES = { day: DAY_MINUTES, week: 7 * DAY_MINUTES };
/** The wall clock of 1970-01-01, a Thursday, counted from Monday. */
const EPOCH_WEEKDAY_MINUTES = 3 * DAY_MINUTES;

export interface Frozen {
  /** The window that ends last of those in force. */
  until: Date;
  reason: string;
}

/** The freeze that is in force; null when there is none. */
export function findFreeze(windows: readonly FreezeWindow[], now: Date): Frozen | null {
  const inForce = windows.flatMap((each) => {
    const untilMs = endOf(each, now.getTime());
    return untilMs === null ? [] : [{ until: new Date(untilMs), reason: each.reason }];
  });
  return inForce.toSorted((one, other) => other.until.getTime() - one.until.getTime())[0] ?? null;
}

/** When the window ends in which a moment lies; null when it lies in none. */
function endOf({ every, from, to, timezone }: FreezeWindow, nowMs: number): number | null {
  const wallMs = nowMs + offsetMs(nowMs, timezone);
  if (every === null) return wallMs >= from && wallMs < to ? fromWall(to, timezone) : null;
  const period = PERIOD_MINUTES[every];
  const minute = Math.floor(wallMs / MINUTE_MS);
  const place = modulo(minute + (every === "week" ? EPOCH_WEEKDAY_MINUTES : 0), period);
  if (modulo(place - from, period) >= modulo(to - from, period)) return null;
  return fromWall((minute + modulo(to - place, period)) * MINUTE_MS, timezone);
}

/** The instant at which a wall clock shows this time; twice, as the offset may change on the way. */
function fromWall(wallMs: number, timezone: string): number {
  const guessMs = wallMs - offsetMs(wallMs, timezone);
  return wallMs - offsetMs(guessMs, timezone);
}

/** By how much the wall clock of a time zone is ahead of UTC at an instant. */
function offsetMs(instantMs: number, timezone: string): number {
  const format = new Intl.DateTimeFormat("en-US", {
    timeZone: timezone,
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
  });
  const parts = new Map(format.formatToParts(instantMs).map(({ type, value }) => [type, Number(value)]));
  const at = (type: Intl.DateTimeFormatPartTypes) => parts.get(type) ?? 0;
  const wallMs = Date.UTC(at("year"), at("month") - 1, at("day"), at("hour"), at("minute"));
  return wallMs - Math.floor(instantMs / MINUTE_MS) * MINUTE_MS;
}

function modulo(value: number, divisor: number): number {
  return ((value % divisor) + divisor) % divisor;
}
