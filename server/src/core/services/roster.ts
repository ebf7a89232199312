import type { ServiceFile } from "@mainstay/api";
import type { Clock } from "../../kernel/clock.ts";
import type { Ids } from "../../kernel/ids.ts";
import type { InstanceRow, ReleaseRow, ServicesStore, ServiceRow, Target } from "./store.ts";

export interface RosterDependencies {
  store: ServicesStore;
  clock: Clock;
  ids: Ids;
}

/** Which instances ought to run. Every act asks for a state of things, and may be repeated. */
export function createRoster({ store, clock, ids }: RosterDependencies) {
  async function rowsOf(release: ReleaseRow, isWanted: (process: string) => boolean): Promise<InstanceRow[]> {
    const { scale } = await mustFind(release);
    const created_at = clock.now();
    const { id, service, environment } = release;
    return Object.entries(release.snapshot.processes)
      .filter(([process]) => isWanted(process))
      .flatMap(([process, spec]) =>
        Array.from({ length: scale[process] ?? spec.instances }, (_, ordinal) => ({
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

  /** Asks for everything of a release but its singletons, and what is one in the release beside it. */
  async function start(release: ReleaseRow, beside: ReleaseRow | null): Promise<void> {
    const handedOver = singletonsOf(release, beside);
    await store.replaceInstances({
      insert: await rowsOf(release, (process) => !handedOver.includes(process)),
    });
  }

  /** From here on the singletons are those of `to`; the agent starts them when those of `from` are gone. */
  async function handOver(from: ReleaseRow | null, to: ReleaseRow | null): Promise<void> {
    const processes = singletonsOf(from, to);
    if (processes.length === 0) return;
    await store.replaceInstances({
      insert: to ? await rowsOf(to, (process) => processes.includes(process)) : [],
      remove: from ? { release: from.id, processes } : null,
    });
  }

  /** The release alone is left: all of it, nothing of the one before. */
  async function complete(release: ReleaseRow, before: string | null): Promise<void> {
    await store.replaceInstances({
      insert: await rowsOf(release, () => true),
      remove: before === null ? null : { release: before, processes: null },
    });
  }

  /** Makes the instances of one process so many; the last ones come and go. */
  async function resize(release: ReleaseRow, process: string, count: number): Promise<void> {
    const created_at = clock.now();
    const { id, service, environment } = release;
    const insert = Array.from({ length: count }, (_, ordinal) => ({
      ...{ id: ids.next("ins"), service, environment, release: id },
      ...{ process, ordinal, created_at },
    }));
    await store.replaceInstances({ insert, surplus: { release: id, process, count } });
  }

  return {
    start,
    handOver,
    complete,
    resize,
    stop: (release: string) => store.replaceInstances({ insert: [], remove: { release, processes: null } }),
    of: store.instancesOf,
  };
}
export type Roster = ReturnType<typeof createRoster>;

/** Processes of which only one release may have an instance at any time. */
export function singletonsOf(...releases: ({ snapshot: ServiceFile } | null)[]): string[] {
  const names = releases.flatMap((each) =>
    Object.entries(each?.snapshot.processes ?? {})
      .filter(([, spec]) => spec.singleton)
      .map(([name]) => name),
  );
  return [...new Set(names)];
}
