/** The functions that change each float by itself, and pass over histograms. */
export const FLOAT_FUNCTIONS: ReadonlyMap<string, (value: number) => number> = new Map<
  string,
  (value: number) => number
>([
  ["abs", Math.abs],
  ["acos", Math.acos],
  ["acosh", Math.acosh],
  ["asin", Math.asin],
  ["asinh", Math.asinh],
  ["atan", Math.atan],
  ["atanh", Math.atanh],
  ["ceil", Math.ceil],
  ["cos", Math.cos],
  ["cosh", Math.cosh],
  ["deg", (value) => (value * 180) / Math.PI],
  ["exp", Math.exp],
  ["floor", Math.floor],
  ["ln", Math.log],
  ["log10", Math.log10],
  ["log2", Math.log2],
  ["rad", (value) => (value * Math.PI) / 180],
  ["sgn", (value) => (value > 0 ? 1 : value < 0 ? -1 : value)],
  ["sin", Math.sin],
  ["sinh", Math.sinh],
  ["sqrt", Math.sqrt],
  ["tan", Math.tan],
  ["tanh", Math.tanh],
]);

const inUtc = (read: (time: Date) => number) => (seconds: number) =>
  read(new Date(Math.trunc(seconds) * 1000));

function dayOfYear(time: Date): number {
  const midnight = Date.UTC(time.getUTCFullYear(), time.getUTCMonth(), time.getUTCDate());
  return (midnight - Date.UTC(time.getUTCFullYear(), 0, 1)) / 86_400_000 + 1;
}

/** The functions of the calendar, in UTC; their argument is in seconds. */
export const TIME_FUNCTIONS: ReadonlyMap<string, (seconds: number) => number> = new Map([
  ["year", inUtc((time) => time.getUTCFullYear())],
  ["month", inUtc((time) => time.getUTCMonth() + 1)],
  ["day_of_month", inUtc((time) => time.getUTCDate())],
  ["day_of_week", inUtc((time) => time.getUTCDay())],
  ["day_of_year", inUtc(dayOfYear)],
  [
    "days_in_month",
    inUtc((time) => new Date(Date.UTC(time.getUTCFullYear(), time.getUTCMonth() + 1, 0)).getUTCDate()),
  ],
  ["hour", inUtc((time) => time.getUTCHours())],
  ["minute", inUtc((time) => time.getUTCMinutes())],
]);

/** The smaller of two; NaN when either is, unless the other is -Inf already. */
export function least(a: number, b: number): number {
  return a === -Infinity || b === -Infinity ? -Infinity : Math.min(a, b);
}

/** The larger of two; NaN when either is, unless the other is +Inf already. */
export function most(a: number, b: number): number {
  return a === Infinity || b === Infinity ? Infinity : Math.max(a, b);
}
