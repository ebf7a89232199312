import { formatSize, type ObservedInstance } from "@mainstay/api";
import type { InstanceRow } from "../../core/services/index.ts";

/** Health answers in a row before an instance counts as good. */
const GATE_PASSES = 3;
/** So many crashes and it is not worth another try. */
const CRASHES_MAX = 3;

export function hasPassedGate(instance: ObservedInstance): boolean {
  return instance.state === "ready" && instance.passes >= GATE_PASSES;
}

/** Which of the instances that ought to run is not that far yet, in words; null when all are. */
export function missing(
  wanted: InstanceRow[],
  seen: ObservedInstance[],
  { isDone, what }: { isDone: (each: ObservedInstance) => boolean; what: string },
): string | null {
  const byId = new Map(seen.map((each) => [each.id, each]));
  const open = wanted.find(({ id }) => {
    const instance = byId.get(id);
    return !instance || !isDone(instance);
  });
  if (!open) return null;
  const error = byId.get(open.id)?.lastProbeError;
  return `${open.process} ${open.id}: ${what}${error ? ` (${error})` : ""}`;
}

/** Which instance keeps crashing, and how; null when none does. */
export function crash(instances: ObservedInstance[]): string | null {
  const broken = instances.find(hasGivenUp);
  return broken ? `${broken.process} ${broken.id} ${crashWords(broken)}` : null;
}

export function hasGivenUp({ crashes }: ObservedInstance): boolean {
  return crashes >= CRASHES_MAX;
}

export function crashWords(instance: ObservedInstance): string {
  return `crashed ${instance.crashes} times (${exitWords(instance)})`;
}

function exitWords({ lastExit }: ObservedInstance): string {
  if (lastExit?.cause === "memory") return `killed for exceeding ${formatSize(lastExit.limitBytes ?? 0)}`;
  return lastExit?.signal ? `signal ${lastExit.signal}` : `exit code ${lastExit?.code ?? "unknown"}`;
}
