import { AppError, dependenciesOf, sortByDependencies } from "@mainstay/api";
import { findingOf, type Finding } from "../../core/changes/index.ts";
import type { Neighbour, Situation } from "./situation.ts";

type Around = Pick<Situation, "candidate" | "stable" | "neighbours">;

/** Whether what the candidate depends on serves, is well, and stands still. */
export function checkDependencies(situation: Around): Finding[] {
  const { candidate, neighbours } = situation;
  const byName = new Map(neighbours.map((each) => [each.row.name, each]));
  const found = dependenciesOf(candidate.snapshot).flatMap((name) =>
    checkOne(situation, name, byName.get(name) ?? null),
  );
  return [...checkCircle(situation), ...found];
}

function checkOne(situation: Around, dependency: string, neighbour: Neighbour | null): Finding[] {
  const { candidate, stable } = situation;
  const { service, environment } = candidate;
  // Going back must not fail because something else is ill: ids of releases rise with the time.
  const isGoingBack = stable !== null && candidate.id < stable.id;
  const say = (error: AppError, severity: Finding["severity"] = isGoingBack ? "warning" : "error") =>
    findingOf(error, { severity, isForceable: severity === "error", about: dependency });
  const words = { dependency, service };
  if (!neighbour?.serving) {
    const reason = `does not serve in ${environment}`;
    return [say(new AppError("PREFLIGHT_DEPENDENCY", { ...words, reason }))];
  }
  const { change, wanted, ready } = neighbour;
  if (change) {
    const reason = `is being changed itself (${change.id}, ${change.state})`;
    return [say(new AppError("PREFLIGHT_DEPENDENCY", { ...words, reason }))];
  }
  if (ready >= wanted) return [];
  const reason = `${ready} of ${wanted} instances are ready`;
  const error = new AppError("PREFLIGHT_DEPENDENCY_UNHEALTHY", { ...words, reason });
  return [ready === 0 ? say(error) : say(error, "warning")];
}

/** Of what serves now, with the candidate in the place of its stable release. */
function checkCircle({ candidate, neighbours }: Around): Finding[] {
  const own = { name: candidate.service, dependsOn: dependenciesOf(candidate.snapshot) };
  const others = neighbours
    .filter(({ row }) => row.name !== candidate.service)
    .map(({ row, serving }) => ({
      name: row.name,
      dependsOn: serving ? dependenciesOf(serving.snapshot) : [],
    }));
  const { circle } = sortByDependencies([own, ...others]);
  if (!circle?.includes(own.name)) return [];
  return [findingOf(new AppError("PREFLIGHT_DEPENDENCY_CIRCLE", { circle: circle.join(" → ") }))];
}
