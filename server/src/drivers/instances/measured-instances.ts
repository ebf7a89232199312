import type { DesiredState, ObservedState } from "@mainstay/api";
import type { Arrangement } from "../../core/services/index.ts";

/** An instance that tells figures of its own, and where. */
export interface MeasuredInstance {
  id: string;
  path: string;
  labels: Readonly<Record<string, string>>;
}

/** The instances whose process says so, with the labels of everything that Mainstay tells of them. */
export function measuredInstances(
  { instances, releases }: Pick<Arrangement, "instances" | "releases">,
  { services }: Pick<DesiredState, "services">,
): MeasuredInstance[] {
  return instances.flatMap(({ id, service, environment, process, release }) => {
    const metrics = releases.get(release)?.snapshot.processes[process]?.metrics;
    if (!metrics) return [];
    const routing = services.find((each) => each.service === service && each.environment === environment);
    const isCandidate = routing?.candidate?.release === release;
    const arm = isCandidate ? "candidate" : routing?.stable?.release === release ? "stable" : "";
    return [
      { id, path: metrics.path, labels: { environment, service, process, release, instance: id, arm } },
    ];
  });
}

/** Those that run now, as targets of scraping. */
export function measuredTargets(
  measured: readonly MeasuredInstance[],
  observed: ObservedState | null,
): { targets: string[]; labels: Record<string, string> }[] {
  const ports = new Map(observed?.instances.map(({ id, pid, port }) => [id, pid === null ? null : port]));
  return measured.flatMap(({ id, path, labels }) => {
    const port = ports.get(id) ?? null;
    const own = { ...labels, job: labels["service"] ?? "", __metrics_path__: path };
    return port === null ? [] : [{ targets: [`127.0.0.1:${port}`], labels: own }];
  });
}
