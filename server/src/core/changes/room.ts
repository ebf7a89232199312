import { createApprovals, type ApprovalsDependencies } from "./approvals.ts";
import { createChanges, type ChangesDependencies } from "./changes.ts";
import { createFreezer, type FreezerDependencies } from "./frozen.ts";
import { createPreflight } from "./preflight.ts";
import { createReport } from "./report.ts";
import { createChangeRunner, type RunnerDependencies } from "./runner.ts";
import { CHANGES_CHANNEL, createChangesStore } from "./store.ts";
import { createTransitions } from "./transitions.ts";
import { createWatch } from "./watch.ts";

/** NOTIFY of PostgreSQL, as the database handle offers it. */
type ListenTo = (channel: string, onNotify: (payload: string) => void) => Promise<() => Promise<void>>;

type RoomDependencies = Pick<FreezerDependencies, "freeze"> &
  Pick<ApprovalsDependencies, "holdsRole"> &
  Omit<ChangesDependencies, "store" | "transitions" | "preflight" | "freezer" | "approvals"> &
  Pick<RunnerDependencies, "log" | "owner"> & { listen: ListenTo; approvals: ApprovalsDependencies["rules"] };

/**
 * The room's parts on one store: the use cases, the runner
 * that carries changes out, and the watch for onlookers.
 */
export function createChangesRoom({
  listen: listenTo,
  log,
  owner,
  freeze,
  approvals: rules,
  holdsRole,
  ...dependencies
}: RoomDependencies) {
  const { db, clock, audit, events, kinds } = dependencies;
  const store = createChangesStore(db);
  const transitions = createTransitions({ db, clock, audit, events, store });
  const listen = (onNews: (id: string) => void) => listenTo(CHANGES_CHANNEL, onNews);
  const preflight = createPreflight({ clock, log });
  const freezer = createFreezer({ clock, freeze });
  const approvals = createApprovals({ rules, holdsRole, clock, kinds, store, transitions });
  const carried = { store, transitions, preflight, freezer, approvals };
  const changes = createChanges({ ...dependencies, ...carried });
  return {
    changes,
    runner: createChangeRunner({ ...carried, kinds, clock, log, owner, listen }),
    report: createReport({ changes, audit }),
    watch: createWatch({ changes, clock, listen }),
  };
}
