/**
 * How names and units of OpenTelemetry become those of Prometheus.
 * (OpenTelemetry specification, "Prometheus and OpenMetrics Compatibility".)
 */

/** Units of UCUM and their words. */
const UNITS: Readonly<Record<string, string>> = {
  ...{ d: "days", h: "hours", min: "minutes", s: "seconds", ms: "milliseconds", us: "microseconds" },
  ...{ ns: "nanoseconds", By: "bytes", KiBy: "kibibytes", MiBy: "mebibytes", GiBy: "gibibytes" },
  ...{ TiBy: "tibibytes", KBy: "kilobytes", MBy: "megabytes", GBy: "gigabytes", TBy: "terabytes" },
  ...{ m: "meters", V: "volts", A: "amperes", J: "joules", W: "watts", g: "grams" },
  ...{ Cel: "celsius", Hz: "hertz", "%": "percent" },
};
const PER_UNITS: Readonly<Record<string, string>> = {
  ...{ s: "second", m: "minute", h: "hour", d: "day", w: "week", mo: "month", y: "year" },
};

export interface NamedMetric {
  name: string;
  unit: string;
  /** A sum that only rises. */
  isCounter: boolean;
  isGauge: boolean;
}

/** The name of the metric family, with the unit and "total" behind it. */
export function metricNameOf({ name, unit, isCounter, isGauge }: NamedMetric): string {
  const words = name.split(/[^a-zA-Z0-9:]+/).filter((word) => word !== "");
  const suffixes = unitWords(unit);
  if (unit === "1" && isGauge) suffixes.push("ratio");
  const kept = words.filter((word) => !isCounter || word !== "total");
  for (const suffix of suffixes) if (!kept.includes(suffix)) kept.push(suffix);
  if (isCounter) kept.push("total");
  const joined = kept.join("_");
  return /^[0-9]/.test(joined) ? `_${joined}` : joined;
}

function unitWords(unit: string): string[] {
  // What stands in braces is a remark.
  const [main = "", per = ""] = unit
    .replaceAll(/\{[^}]*\}/g, "")
    .trim()
    .split("/", 2);
  const words: string[] = [];
  if (main !== "" && main !== "1") words.push(...plainWords(UNITS[main] ?? main));
  if (per !== "") words.push("per", ...plainWords(PER_UNITS[per] ?? per));
  return words;
}

function plainWords(text: string): string[] {
  return text.split(/[^a-zA-Z0-9]+/).filter((word) => word !== "");
}

/** A label's name: what Prometheus does not know becomes "_", and a digit in front is led by "key_". */
export function labelNameOf(key: string): string {
  const plain = key.replaceAll(/[^a-zA-Z0-9_]/g, "_");
  if (/^[0-9]/.test(plain)) return `key_${plain}`;
  return plain.startsWith("_") && !plain.startsWith("__") ? `key${plain}` : plain;
}
