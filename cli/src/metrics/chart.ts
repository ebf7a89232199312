/** A line of a chart: times in seconds, with NaN where there is nothing. */
export interface ChartSeries {
  label: string;
  points: readonly (readonly [timeS: number, value: number])[];
}

export interface ChartOptions {
  /** Of the whole chart, in characters. */
  width: number;
  height: number;
  /** Dots of several series are told apart by colours; without, each is drawn with a letter of its own. */
  hasColours: boolean;
}

/** So many series can be told apart. */
const CHART_SERIES_MAX = 8;
const LETTERS = "ABCDEFGH";
const COLOURS = [36, 33, 35, 32, 31, 34, 96, 93];
/** Bits of the dots of a character, by column and row (Unicode, Braille Patterns). */
const DOTS = [
  [0x01, 0x02, 0x04, 0x40],
  [0x08, 0x10, 0x20, 0x80],
];
const EMPTY_BRAILLE = 0x2800;

interface Frame {
  fromS: number;
  toS: number;
  low: number;
  high: number;
}

/** Draws series over time, with an axis on the left, times below and a legend. Empty without any number. */
export function drawChart(all: readonly ChartSeries[], options: ChartOptions): string {
  const series = all.slice(0, CHART_SERIES_MAX);
  const frame = frameOf(series);
  if (frame === null) return "";
  const { height } = options;
  const labels = [frame.high, (frame.high + frame.low) / 2, frame.low].map(shortValue);
  const margin = Math.max(...labels.map((label) => label.length));
  const columns = Math.max(10, options.width - margin - 2);
  const rows = paint(series, frame, { ...options, columns });
  const middle = Math.floor((height - 1) / 2);
  const axis = (row: number) =>
    row === 0 ? labels[0] : row === middle ? labels[1] : row === height - 1 ? labels[2] : "";
  const lines = rows.map((text, row) => `${(axis(row) ?? "").padStart(margin)} ┤${text}`);
  return [...lines, timeLine(frame, margin + 2, columns), ...legend(all, options)].join("\n");
}

function frameOf(series: readonly ChartSeries[]): Frame | null {
  const points = series.flatMap((each) => each.points.filter(([, value]) => Number.isFinite(value)));
  if (points.length === 0) return null;
  let [fromS, toS, low, high] = [Infinity, -Infinity, Infinity, -Infinity];
  for (const [timeS, value] of points) {
    [fromS, toS] = [Math.min(fromS, timeS), Math.max(toS, timeS)];
    [low, high] = [Math.min(low, value), Math.max(high, value)];
  }
  // A line that does not move lies in the middle.
  const room = high === low ? Math.abs(high) / 2 || 1 : 0;
  return { fromS, toS, low: low - room, high: high + room };
}

function paint(
  series: readonly ChartSeries[],
  frame: Frame,
  { columns, height, hasColours }: ChartOptions & { columns: number },
): string[] {
  const dots = new Uint8Array(columns * height);
  const owners = new Int8Array(columns * height).fill(-1);
  for (const [index, { points }] of series.entries()) {
    let before: { x: number; y: number } | null = null;
    for (const [timeS, value] of points) {
      if (!Number.isFinite(value)) {
        before = null;
        continue;
      }
      const x = scale(timeS, [frame.fromS, frame.toS], columns * 2 - 1);
      const y = height * 4 - 1 - scale(value, [frame.low, frame.high], height * 4 - 1);
      for (const dot of lineBetween(before ?? { x, y }, { x, y })) {
        const cell = (dot.y >> 2) * columns + (dot.x >> 1);
        dots[cell] = (dots[cell] ?? 0) | (DOTS[dot.x & 1]?.[dot.y & 3] ?? 0);
        owners[cell] = index;
      }
      before = { x, y };
    }
  }
  const isPlain = series.length === 1;
  const character = (cell: number): string => {
    const owner = owners[cell] ?? -1;
    if (owner === -1) return " ";
    const braille = String.fromCodePoint(EMPTY_BRAILLE + (dots[cell] ?? 0));
    if (isPlain) return braille;
    return hasColours ? coloured(braille, owner) : (LETTERS[owner] ?? "?");
  };
  return Array.from({ length: height }, (_, row) =>
    Array.from({ length: columns }, (__, column) => character(row * columns + column))
      .join("")
      .trimEnd(),
  );
}

function scale(value: number, [low, high]: readonly [number, number], most: number): number {
  return high === low ? 0 : Math.round(((value - low) / (high - low)) * most);
}

/** Every dot between two, along the longer side. */
function* lineBetween(from: { x: number; y: number }, to: { x: number; y: number }) {
  const steps = Math.max(Math.abs(to.x - from.x), Math.abs(to.y - from.y));
  for (let step = 0; step <= steps; step++) {
    const part = steps === 0 ? 0 : step / steps;
    yield { x: Math.round(from.x + (to.x - from.x) * part), y: Math.round(from.y + (to.y - from.y) * part) };
  }
}

function coloured(text: string, index: number): string {
  return `\u001b[${COLOURS[index] ?? 37}m${text}\u001b[0m`;
}

function timeLine({ fromS, toS }: Frame, margin: number, columns: number): string {
  const [from, to] = [timeWords(fromS), timeWords(toS)];
  return `${" ".repeat(margin)}${from}${to.padStart(Math.max(columns - from.length, to.length + 1))}`;
}

function timeWords(timeS: number): string {
  return new Date(timeS * 1000).toISOString().slice(0, 19).replace("T", " ");
}

function legend(all: readonly ChartSeries[], { hasColours }: ChartOptions): string[] {
  const shown = all.slice(0, CHART_SERIES_MAX).map(({ label, points }, index) => {
    const last = points.at(-1)?.[1] ?? NaN;
    const letter = LETTERS[index] ?? "?";
    const mark = all.length === 1 ? "⣀" : hasColours ? coloured("⣿", index) : letter;
    return `${mark} ${label}  ${shortValue(last)}`;
  });
  const more = all.length - CHART_SERIES_MAX;
  return more > 0 ? [...shown, `… and ${more} more series, which are not drawn`] : shown;
}

const PREFIXES: readonly (readonly [size: number, letter: string])[] = [
  [1e12, "T"],
  [1e9, "G"],
  [1e6, "M"],
  [1e3, "k"],
];

/** 1234567 → 1.23M; four places are enough to read a chart by. */
export function shortValue(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const [size, letter] = PREFIXES.find(([each]) => Math.abs(value) >= each) ?? [1, ""];
  const number = Number((value / size).toPrecision(3));
  return `${number}${letter}`;
}
