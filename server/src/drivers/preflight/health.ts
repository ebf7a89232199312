import { AppError, formatDuration } from "@mainstay/api";
import { findingOf, type Finding } from "../../core/changes/index.ts";
import type { Situation } from "./situation.ts";

/** Healthy answers in a row that the gate asks for. */
const GATE_PASSES = 3;

/** That every process with a port has a health path is a matter of the schema; here: whether it can work. */
export function checkHealth({ candidate }: Situation): Finding[] {
  return Object.entries(candidate.snapshot.processes).flatMap(([process, { health }]): Finding[] => {
    if (!health) return [];
    const say = (reason: string, options: Partial<Finding>) =>
      findingOf(new AppError("PREFLIGHT_HEALTH", { process, reason }), options);
    const shortestMs = GATE_PASSES * health.interval;
    const found: Finding[] = [];
    if (health.deadline < shortestMs) {
      const times = `${GATE_PASSES} answers every ${formatDuration(health.interval)}`;
      found.push(say(`${times} do not fit into the deadline of ${formatDuration(health.deadline)}`, {}));
    }
    if (/[\s#]/.test(health.path)) {
      found.push(say(`the path ${JSON.stringify(health.path)} holds a space or a fragment`, {}));
    }
    if (health.path === "/") {
      const reason = "the path / often answers 200 although what the service needs is missing";
      found.push(say(reason, { severity: "warning" }));
    }
    return found;
  });
}
