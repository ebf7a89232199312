export type StatsdType = "counter" | "gauge" | "timer" | "distribution" | "set";

export interface StatsdMetric {
  name: string;
  type: StatsdType;
  /** As written: a set counts texts. */
  values: readonly string[];
  /** A gauge that begins with + or - is moved instead of set. */
  sampleRate: number;
  tags: readonly (readonly [name: string, value: string])[];
}

const TYPES: Readonly<Record<string, StatsdType>> = {
  ...{ c: "counter", g: "gauge", ms: "timer", h: "distribution", d: "distribution", s: "set" },
};
const NUMBER = /^[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$/;

/**
 * A line of StatsD, or of DogStatsD 1.2: `name:value[:value…]|type[|@rate][|#tag:value,tag]`. Answers why
 * not when it is none; null for DogStatsD's events and service checks, which are no metrics.
 */
export function parseStatsdLine(line: string): StatsdMetric | string | null {
  if (line.startsWith("_e{") || line.startsWith("_sc|")) return null;
  const [head = "", typeText = "", ...sections] = line.split("|");
  const colon = head.indexOf(":");
  if (colon < 1) return `"${head}" is no name with a value`;
  const type = TYPES[typeText];
  if (type === undefined) return `"${typeText}" is no type`;
  const values = head.slice(colon + 1).split(":");
  const wrong = type === "set" ? undefined : values.find((value) => !NUMBER.test(value));
  if (wrong !== undefined) return `"${wrong}" is no number`;
  const metric: StatsdMetric = { name: head.slice(0, colon), type, values, sampleRate: 1, tags: [] };
  for (const section of sections) {
    const fault = applySection(metric, section);
    if (fault !== null) return fault;
  }
  return metric;
}

function applySection(metric: { -readonly [K in keyof StatsdMetric]: StatsdMetric[K] }, section: string) {
  if (section.startsWith("@")) {
    const rate = Number(section.slice(1));
    if (!(rate > 0 && rate <= 1)) return `"${section}" is no sample rate`;
    metric.sampleRate = rate;
  }
  if (section.startsWith("#")) {
    metric.tags = section
      .slice(1)
      .split(",")
      .filter((tag) => tag !== "")
      .map((tag) => {
        const colon = tag.indexOf(":");
        return colon === -1 ? [tag, "true"] : [tag.slice(0, colon), tag.slice(colon + 1)];
      });
  }
  // Other sections (container, timestamp) change nothing about the value.
  return null;
}
