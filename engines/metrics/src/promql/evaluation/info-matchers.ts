import { METRIC_NAME } from "../../labels.ts";
import type { Matcher } from "../../storage.ts";

/** What info() selects when its matchers say nothing about the name of the metric. */
export function infoMatchers(matchers: readonly Matcher[] | null): Matcher[] {
  const asked = matchers ?? [];
  const names = asked.filter(({ name }) => name === METRIC_NAME);
  if (names.some(({ operator }) => operator === "=" || operator === "=~")) return [...asked];
  const fallback: Matcher =
    names.length > 0
      ? { name: METRIC_NAME, operator: "=~", value: ".+_info" }
      : { name: METRIC_NAME, operator: "=", value: "target_info" };
  return [...asked, fallback];
}
