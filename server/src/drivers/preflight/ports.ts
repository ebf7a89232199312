import { AppError } from "@mainstay/api";
import { findingOf, type Finding } from "../../core/changes/index.ts";
import type { Situation } from "./situation.ts";

/** Whether the agent will find ports for the candidate, and whether fixed ones can be had. */
export async function checkPorts({ candidate, portRange, machine }: Situation): Promise<Finding[]> {
  const inUse = await machine.portsInUse();
  const processes = Object.entries(candidate.snapshot.processes);
  const fixed = processes.flatMap(([process, { port, instances }]): Finding[] => {
    if (typeof port !== "number") return [];
    const reason = whyTaken(inUse.has(port), instances);
    return reason === null
      ? []
      : [findingOf(new AppError("PREFLIGHT_PORT_TAKEN", { process, port, reason }))];
  });
  const chosen = processes.filter(([, { port }]) => port === "auto");
  const wanted = chosen.reduce((total, [, { instances }]) => total + instances, 0);
  const [first, last] = portRange;
  const free = last - first + 1 - [...inUse].filter((port) => port >= first && port <= last).length;
  if (free >= wanted) return fixed;
  return [...fixed, findingOf(new AppError("PREFLIGHT_PORTS", { wanted, free, first, last }))];
}

function whyTaken(isInUse: boolean, instances: number): string | null {
  if (instances > 1) return `${instances} instances cannot share it`;
  return isInUse ? "another process listens there; it may be the stable release, which runs beside it" : null;
}
