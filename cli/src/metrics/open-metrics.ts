/** A series as the HTTP API answers its samples. */
export interface RawSeries {
  metric: Record<string, string>;
  values?: readonly (readonly [timeS: number, value: string])[];
  histograms?: readonly unknown[];
}

const PLAIN = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;

/**
 * Series as OpenMetrics text, sample by sample. All are of type unknown: every series is written as it
 * is kept, whether or not the others of its family are there. Native histograms have no form in it.
 */
export function toOpenMetrics(series: readonly RawSeries[]): { text: string; samples: number; left: number } {
  const byName = new Map<string, RawSeries[]>();
  for (const each of series) {
    const name = each.metric["__name__"] ?? "";
    byName.set(name, [...(byName.get(name) ?? []), each]);
  }
  let samples = 0;
  const lines: string[] = [];
  for (const [name, all] of [...byName].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    if (all.every(({ values = [] }) => values.length === 0)) continue;
    lines.push(`# TYPE ${PLAIN.test(name) ? name : JSON.stringify(name)} unknown`);
    for (const { metric, values = [] } of all) {
      const key = keyOf(name, metric);
      for (const [timeS, value] of values) lines.push(`${key} ${value} ${timeS}`);
      samples += values.length;
    }
  }
  const left = series.reduce((sum, { histograms = [] }) => sum + histograms.length, 0);
  return { text: `${[...lines, "# EOF"].join("\n")}\n`, samples, left };
}

function keyOf(name: string, metric: Record<string, string>): string {
  const pairs = Object.entries(metric)
    .filter(([label]) => label !== "__name__")
    .map(([label, value]) => `${PLAIN.test(label) ? label : quoted(label)}=${quoted(value)}`);
  if (!PLAIN.test(name)) return `{${[quoted(name), ...pairs].join(",")}}`;
  return pairs.length === 0 ? name : `${name}{${pairs.join(",")}}`;
}

function quoted(text: string): string {
  return `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")}"`;
}
