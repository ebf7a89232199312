import type { Arm } from "@mainstay/api";
import type { ChangeView } from "../../core/changes/index.ts";
import type { Variables } from "./fill-query.ts";

/** What of a change the queries of its gates may name. */
export interface Asked extends Pick<ChangeView, "id" | "service" | "environment" | "candidate" | "stable"> {
  position: Pick<ChangeView["position"], "stage">;
}

/** What the queries of a change's gates may name; docs/guides/gates.md lists them. */
export function variablesOf({ id, service, environment, candidate, stable, position }: Asked): Variables {
  return {
    ...{ service, environment, candidate, stable: stable ?? "", change: id },
    stage: String(position.stage + 1),
  };
}

/** The same, for a query that is asked of each release. */
export function variablesOfArm(change: Asked, arm: Arm): Variables {
  return { ...variablesOf(change), arm, release: change[arm] ?? "" };
}
