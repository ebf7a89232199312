/** From the largest down, as durations are written. */
const DURATION_MS = new Map(Object.entries({ d: 86_400_000, h: 3_600_000, m: 60_000, s: 1000, ms: 1 }));
const SIZE_BYTES = new Map(
  Object.entries({ B: 1, kB: 1e3, MB: 1e6, GB: 1e9, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 }),
);

/** Null also for what is too large to be counted exactly. */
function parseWithUnit(text: string, units: Map<string, number>): number | null {
  const match = /^(\d+(?:\.\d+)?)\s*([A-Za-z]+)$/.exec(text.trim());
  const factor = units.get(match?.[2] ?? "");
  if (!match || factor === undefined) return null;
  const value = Math.round(Number(match[1]) * factor);
  return Number.isSafeInteger(value) ? value : null;
}

/** "1h30m", "500ms", "10s" → milliseconds; null when the text is not a duration. */
export function parseDurationMs(text: string): number | null {
  const parts = text.trim().match(/\d+(?:\.\d+)?\s*(?:ms|s|m|h|d)/g);
  if (!parts || parts.join("") !== text.trim()) return null;
  const sum = parts.reduce((total, part) => total + (parseWithUnit(part, DURATION_MS) ?? Infinity), 0);
  return Number.isSafeInteger(sum) ? sum : null;
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

/** Milliseconds → text of `parseDurationMs` in its two largest units, e.g. 90000 → "1m30s". */
export function formatDuration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)}ms`;
  const parts: string[] = [];
  let rest = Math.round(ms);
  for (const [unit, unitMs] of DURATION_MS) {
    const count = Math.floor(rest / unitMs);
    if (count > 0) parts.push(`${count}${unit}`);
    rest -= count * unitMs;
  }
  return parts.slice(0, 2).join("");
}

/** Bytes → text of `parseSizeBytes` with one decimal at most, e.g. 1610612736 → "1.5GiB". */
export function formatSize(bytes: number): string {
  const unit = ["GiB", "MiB", "KiB"].find((each) => bytes >= (SIZE_BYTES.get(each) ?? 1)) ?? "B";
  return `${Number((bytes / (SIZE_BYTES.get(unit) ?? 1)).toFixed(unit === "B" ? 0 : 1))}${unit}`;
}

/** A share between 0 and 1 → "10%". */
export function formatShare(share: number): string {
  return `${Number((share * 100).toFixed(2))}%`;
}
