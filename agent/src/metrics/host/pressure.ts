import { counter, type Family } from "../family.ts";
import type { MachineFiles } from "../machine-files.ts";

const RESOURCES = ["cpu", "io", "memory"];
const KINDS = [
  ["some", "waiting", "at least one task waited for"],
  ["full", "stalled", "every task waited for"],
] as const;

/** How long tasks waited for what was short (the kernel's accounting/psi.rst). */
export function pressureMetrics({ read }: Pick<MachineFiles, "read">): Family[] {
  return RESOURCES.flatMap((resource) => {
    const text = read(`/proc/pressure/${resource}`) ?? "";
    return KINDS.flatMap(([kind, word, help]) => {
      // That all tasks wait for the processor cannot be.
      if (resource === "cpu" && kind === "full") return [];
      const microseconds = new RegExp(`^${kind} .*total=(\\d+)`, "m").exec(text)?.[1];
      const name = `mainstay_host_pressure_${resource}_${word}_seconds_total`;
      const value = microseconds === undefined ? null : Number(microseconds) / 1e6;
      return [counter(name, `Time during which ${help} ${resource}.`, value)];
    });
  });
}
