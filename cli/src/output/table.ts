/** Rows of text as aligned columns; the last column is never padded. */
export function table(header: string[], rows: string[][]): string {
  const all = [header, ...rows];
  const widths = header.map((_, column) => Math.max(...all.map((row) => (row[column] ?? "").length)));
  const line = (row: string[]) =>
    row.map((cell, column) => pad(cell, widths[column] ?? 0, column === row.length - 1)).join("  ");
  return all.map(line).join("\n");
}

function pad(cell: string, width: number, isLast: boolean): string {
  return isLast ? cell : cell.padEnd(width);
}

/** "3 s ago", "2 h ago": how long before `nowMs` an RFC 3339 time was. */
export function ago(time: string, nowMs: number): string {
  const seconds = Math.max(0, Math.round((nowMs - Date.parse(time)) / 1000));
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3600) return `${Math.round(seconds / 60)} min ago`;
  if (seconds < 86_400) return `${Math.round(seconds / 3600)} h ago`;
  return `${Math.round(seconds / 86_400)} d ago`;
}

/** "in 60 d", "in 3 h": how long after `nowMs` a time is; "12 d ago" when it is over. */
export function until(time: string, nowMs: number): string {
  const aheadMs = Date.parse(time) - nowMs;
  if (aheadMs <= 0) return ago(time, nowMs);
  return `in ${ago(new Date(nowMs).toISOString(), nowMs + aheadMs).replace(" ago", "")}`;
}
