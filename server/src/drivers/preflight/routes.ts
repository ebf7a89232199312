import { AppError, type ServiceFile } from "@mainstay/api";
import { findingOf, type Finding } from "../../core/changes/index.ts";
import type { ReleaseRow } from "../../core/services/index.ts";
import type { Situation } from "./situation.ts";

type Route = ServiceFile["routes"][number];
type Around = Pick<Situation, "candidate" | "stable" | "others">;

/**
 * Whether a request could be another service's as well: then one of the two silently gets none. What both had
 * before, and what was there before, is only warned of.
 */
export function checkRoutes({ candidate, stable, others }: Around): Finding[] {
  const isGoingBack = stable !== null && candidate.id < stable.id;
  const before = new Set(stable ? routesOf(stable).map(keyOf) : []);
  return routesOf(candidate).flatMap((route) => {
    const key = keyOf(route);
    const other = others.find((each) => routesOf(each).some((theirs) => keyOf(theirs) === key));
    if (!other) return [];
    const { service, environment } = other;
    const error = new AppError("PREFLIGHT_ROUTE_TAKEN", { route: wordsOf(route), service, environment });
    const isWarning = isGoingBack || before.has(key);
    return [
      findingOf(error, {
        severity: isWarning ? "warning" : "error",
        isForceable: !isWarning,
        about: service,
      }),
    ];
  });
}

/** Where nothing has a port nothing is routed. */
function routesOf({ snapshot }: ReleaseRow): readonly Route[] {
  const hasPort = Object.values(snapshot.processes).some(({ port }) => port !== undefined);
  return hasPort ? snapshot.routes : [];
}

/** As the data plane tells routes apart. */
function keyOf({ host, path }: Route): string {
  const start = path.length > 1 && path.endsWith("/") ? path.slice(0, -1) : path;
  return `${host?.toLowerCase() ?? "*"}${start}`;
}

function wordsOf({ host, path }: Route): string {
  return host === undefined ? `${path} of any host` : `${host}${path}`;
}
