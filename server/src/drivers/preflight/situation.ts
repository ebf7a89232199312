import type { ObservedInstance } from "@mainstay/api";
import type { ChangeView, Finding } from "../../core/changes/index.ts";
import type { ReleaseRow, ServiceRow, Signatures } from "../../core/services/index.ts";
import type { Machine } from "./machine.ts";

/** A service of the same environment. */
export interface Neighbour {
  row: ServiceRow;
  /** What gets all of its traffic, or most of it; null when nothing does. */
  serving: ReleaseRow | null;
  /** Instances of what serves: how many ought to run, and how many are ready. */
  wanted: number;
  ready: number;
  /** Its change under way; one that only waits, or has all the traffic already, is none. */
  change: { id: string; state: string } | null;
}

/** What a family of checks may look at. */
export interface Situation {
  change: ChangeView;
  candidate: ReleaseRow;
  stable: ReleaseRow | null;
  /** Names of secrets that have a value. */
  secretNames: string[];
  /** Every instance the agent sees. */
  observed: ObservedInstance[];
  /** How many instances of the stable release ought to run. */
  stableInstances: number;
  neighbours: Neighbour[];
  /** Releases of other services, and of this one in other environments, that get traffic or are about to. */
  others: ReleaseRow[];
  dataDirectory: string;
  signatures: Pick<Signatures, "check" | "isAsked" | "isRequired">;
  portRange: readonly [first: number, last: number];
  machine: Machine;
}

export type Find = (situation: Situation) => Finding[] | Promise<Finding[]>;

export function instancesOf({ snapshot }: ReleaseRow): number {
  return Object.values(snapshot.processes).reduce((total, each) => total + each.instances, 0);
}
