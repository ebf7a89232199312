import type { MetricsStore } from "../metrics-store.ts";
import { readMost, type Parameters } from "../parameters.ts";
import { labelsFilter } from "./labels-filter.ts";
import type { TargetsView } from "./views.ts";

type Store = Pick<MetricsStore, "metadata" | "labelValues">;

/** What series of a family are called beside its own name. */
const SUFFIXES = ["", "_total", "_bucket", "_count", "_sum", "_info", "_created"];

/** `targets/metadata`: of the families that have series of a target. */
export async function answerTargetMetadata(store: Store, { pools }: TargetsView, parameters: Parameters) {
  const limit = readMost(parameters, "limit");
  const metric = parameters.text("metric");
  const selector = parameters.text("match_target");
  const isMeant = await labelsFilter("match_target", selector === "" ? [] : [selector]);
  const targets = pools().flatMap(({ active }) => active.filter(({ labels }) => isMeant(labels)));
  if (targets.length === 0) return [];
  const families = (await store.metadata()).filter((each) => metric === "" || each.metric === metric);
  const found: Record<string, unknown>[] = [];
  for (const { labels } of targets) {
    const names = new Set(await store.labelValues({ label: "__name__", match: [selectorOf(labels)] }));
    for (const { metric: family, type, help, unit } of families) {
      if (found.length >= limit) return found;
      const hasAny = SUFFIXES.some((suffix) => names.has(`${family}${suffix}`));
      const named = metric === "" ? { metric: family } : {};
      if (hasAny) found.push({ target: labels, ...named, type, help, unit });
    }
  }
  return found;
}

function selectorOf(labels: Readonly<Record<string, string>>): string {
  const matchers = Object.entries(labels).map(
    ([name, value]) => `${JSON.stringify(name)}=${JSON.stringify(value)}`,
  );
  return `{${matchers.join(",")}}`;
}
