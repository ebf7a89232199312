import type { ServiceFile } from "@mainstay/api";
import type { Clock } from "../../kernel/clock.ts";
import type { Ids } from "../../kernel/ids.ts";
import type { InstanceRow, ReleaseRow, ServicesStore, ServiceRow, Target } from "./store.ts";

export interface RosterDependencies {
  store: ServicesStore;
  clock: Clock;
  ids: Ids;
}

/** A fraction of a release's instances: so many of so many. */
export interface Part {
  count: number;
  of: number;
}
const WHOLE: Part = { count: 1, of: 1 };

/** Which instances ought to run. Every act asks for a state of things, and may be repeated. */
export function createRoster({ store, clock, ids }: RosterDependencies) {
  /** How many instances of each process a part of the release has. */
  async function countsOf(
    release: ReleaseRow,
    isWanted: (process: string) => boolean,
    part = WHOLE,
  ): Promise<[process: string, count: number][]> {
    const { scale } = await mustFind(release);
    return Object.entries(release.snapshot.processes)
      .filter(([process]) => isWanted(process))
      .map(([process, spec]) => [process, partOf(scale[process] ?? spec.instances, part)]);
  }

  function rowsOf(release: ReleaseRow, counts: [process: string, count: number][]): InstanceRow[] {
    const created_at = clock.now();
    const { id, service, environment } = release;
    return counts.flatMap(([process, count]) =>
      Array.from({ length: count }, (_, ordinal) => ({
        ...{ id: ids.next("ins"), service, environment, release: id },
        ...{ process, ordinal, created_at },
      })),
    );
  }

  async function mustFind(target: Target): Promise<ServiceRow> {
    const row = await store.service(target);
    if (!row) throw new Error(`there is no service ${target.service} in ${target.environment}`);
    return row;
  }

  /**
   * Asks for everything of a release, or a part of each process, but its singletons, and what is one in the
   * release beside it.
   */
  async function start(release: ReleaseRow, beside: ReleaseRow | null, part = WHOLE): Promise<void> {
    const handedOver = singletonsOf(release, beside);
    const counts = await countsOf(release, (process) => !handedOver.includes(process), part);
    await store.replaceInstances({ insert: rowsOf(release, counts) });
  }

  /** Lets go of what is more than a part of each process, except singletons. */
  async function shrink(release: ReleaseRow, beside: ReleaseRow, part: Part): Promise<void> {
    const handedOver = singletonsOf(release, beside);
    const counts = await countsOf(release, (process) => !handedOver.includes(process), part);
    const surplus = counts.map(([process, count]) => ({ release: release.id, process, count }));
    await store.replaceInstances({ insert: [], surplus });
  }

  /** From here on the singletons are those of `to`; the agent starts them when those of `from` are gone. */
  async function handOver(from: ReleaseRow | null, to: ReleaseRow | null): Promise<void> {
    const processes = singletonsOf(from, to);
    if (processes.length === 0) return;
    await store.replaceInstances({
      insert: to ? rowsOf(to, await countsOf(to, (process) => processes.includes(process))) : [],
      remove: from ? { release: from.id, processes } : null,
    });
  }

  /** The release alone is left: all of it, nothing of the one before. */
  async function complete(release: ReleaseRow, before: string | null): Promise<void> {
    await store.replaceInstances({
      insert: rowsOf(release, await countsOf(release, () => true)),
      remove: before === null ? null : { release: before, processes: null },
    });
  }

  /** Makes the instances of one process so many; the last ones come and go. */
  async function resize(release: ReleaseRow, process: string, count: number): Promise<void> {
    const surplus = [{ release: release.id, process, count }];
    await store.replaceInstances({ insert: rowsOf(release, [[process, count]]), surplus });
  }

  return {
    start,
    shrink,
    handOver,
    complete,
    resize,
    stop: (release: string) => store.replaceInstances({ insert: [], remove: { release, processes: null } }),
    of: store.instancesOf,
  };
}
export type Roster = ReturnType<typeof createRoster>;

/** Rounded up: a process of which there is only one runs in both releases while others are replaced. */
function partOf(instances: number, { count, of }: Part): number {
  return Math.ceil((instances * count) / of);
}

/** Processes of which only one release may have an instance at any time. */
export function singletonsOf(...releases: ({ snapshot: ServiceFile } | null)[]): string[] {
  const names = releases.flatMap((each) =>
    Object.entries(each?.snapshot.processes ?? {})
      .filter(([, spec]) => spec.singleton)
      .map(([name]) => name),
  );
  return [...new Set(names)];
}
