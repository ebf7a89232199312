import type { FieldError, PlatformConfig } from "@mainstay/api";

/** Rules of relabelling that cannot be followed. What knows them is loaded only where there are some. */
export async function describeRelabelFaults({ metrics }: PlatformConfig): Promise<FieldError[]> {
  if (metrics.remoteWrite.every(({ writeRelabelConfigs }) => writeRelabelConfigs.length === 0)) return [];
  const { findRuleError } = await import("@mainstay/metrics/scrape");
  return metrics.remoteWrite.flatMap(({ writeRelabelConfigs }, remote) =>
    writeRelabelConfigs.flatMap((rule, index) => {
      const message = findRuleError(rule);
      const path = `metrics.remoteWrite.${remote}.writeRelabelConfigs.${index}`;
      return message === null ? [] : [{ path, message }];
    }),
  );
}
