import { readFile } from "node:fs/promises";
import path from "node:path";
import { AppError, parseServiceFile, type ServiceFile } from "@mainstay/api";
import type { Audit } from "../audit/index.ts";
import type { Clock } from "../../kernel/clock.ts";
import type { Database } from "../../kernel/database/index.ts";
import type { TypedEvents } from "../../kernel/events/index.ts";
import type { Ids } from "../../kernel/ids.ts";
import { createReleaseFiles } from "./release-files.ts";
import { createSecretsFile } from "./secrets-file.ts";
import {
  createServicesStore,
  type InstanceRow,
  type ReleaseRow,
  type ServiceRow,
  type Target,
} from "./store.ts";

/** Who asks, for the audit row. */
export interface Origin {
  actor: { type: string; id: string; name: string };
  requestId: string | null;
  address: string | null;
}

export interface NewRelease {
  /** Absolute path of the directory with the service's files. */
  directory: string;
  /** Name of the service file inside the directory. */
  file: string;
  environment?: string | undefined;
  /** Values that override or add to `env` of the service file. */
  env?: Record<string, string> | undefined;
  /** The release whose files these are, in another environment. */
  promotes?: string;
}

export interface Promotion {
  environment: string;
  /**
   * Values that override or add to `env` of the service file there; those of the source do not come along.
   */
  env?: Record<string, string> | undefined;
}

/** How production ought to be arranged: what the agent is told, before it is put into the agent's words. */
export interface Arrangement {
  services: ServiceRow[];
  instances: InstanceRow[];
  releases: Map<string, ReleaseRow>;
  /** Secret values by release id, as the secrets file has them now. */
  secrets: ReadonlyMap<string, Record<string, string>>;
}

/** A fraction of a release's instances: so many of so many. */
export interface Part {
  count: number;
  of: number;
}
const WHOLE: Part = { count: 1, of: 1 };

/** Rounded up: a process of which there is only one runs in both releases while others are replaced. */
export function partOf(instances: number, { count, of }: Part): number {
  return Math.ceil((instances * count) / of);
}

export interface ServicesDependencies {
  db: Database;
  clock: Clock;
  ids: Ids;
  audit: Audit;
  events: TypedEvents;
  dataDirectory: string;
}

export function createServices({ db, clock, ids, audit, events, dataDirectory }: ServicesDependencies) {
  const store = createServicesStore(db);
  const files = createReleaseFiles({ root: path.join(dataDirectory, "releases") });
  const secrets = createSecretsFile({ directory: path.join(dataDirectory, "keys") });
  const known = new Map<string, Record<string, string>>();

  async function registerRelease(input: NewRelease, origin: Origin): Promise<ReleaseRow> {
    const snapshot = await readSnapshot(input);
    const stored = await files.store(input.directory);
    const now = clock.now();
    const target = { service: snapshot.service, environment: snapshot.environment };
    const row = {
      id: ids.next("rel"),
      ...target,
      ...stored,
      file: input.file,
      snapshot,
      created_at: now,
      created_by: origin.actor,
    };
    await db.transaction().execute(async (tx) => {
      await store.ensureService(tx, target, now);
      await store.insertRelease(tx, row);
      const facts = { digest: row.digest, version: row.version };
      const from = input.promotes ? { promotedFrom: input.promotes } : {};
      await audit.record(tx, {
        ...origin,
        ...target,
        action: "services.release_registered",
        resource: { type: "release", id: row.id },
        after: { ...facts, ...from },
      });
      await events.emit(tx, {
        type: "services.release_registered",
        subject: row.id,
        data: { ...target, release: row.id, ...facts },
      });
    });
    return row;
  }

  /** The same files as a release of another environment, with what the service file says of that one. */
  async function promoteRelease(id: string, to: Promotion, origin: Origin): Promise<ReleaseRow> {
    const source = await release(id);
    await verifyRelease(source);
    const { directory, file } = source;
    return registerRelease({ directory, file, ...to, promotes: id }, origin);
  }

  async function release(id: string): Promise<ReleaseRow> {
    const row = await store.release(id);
    if (!row) throw new AppError("NOT_FOUND", { what: `release ${id}` });
    return row;
  }

  async function service(target: Target): Promise<ServiceRow> {
    const row = await store.service(target);
    if (!row) throw new AppError("NOT_FOUND", { what: `service ${target.service} in ${target.environment}` });
    return row;
  }

  async function instance(id: string): Promise<InstanceRow> {
    const row = await store.instance(id);
    if (!row) throw new AppError("NOT_FOUND", { what: `instance ${id}` });
    return row;
  }

  /** Throws RELEASE_ALTERED when a stored file is no longer what was registered. */
  async function verifyRelease(row: ReleaseRow): Promise<void> {
    if (!(await files.isIntact(row.directory, row.digest)))
      throw new AppError("RELEASE_ALTERED", { release: row.id });
  }

  /**
   * Asks for the instances of a release, or a part of each process; what is asked for already stays as it is.
   */
  async function startInstances(row: ReleaseRow, part = WHOLE): Promise<void> {
    const created_at = clock.now();
    const rows = Object.entries(row.snapshot.processes).flatMap(([process, spec]) =>
      Array.from({ length: partOf(spec.instances, part) }, (_, ordinal) => ({
        id: ids.next("ins"),
        service: row.service,
        environment: row.environment,
        release: row.id,
        process,
        ordinal,
        created_at,
      })),
    );
    await store.insertInstances(rows);
  }

  /** Lets go of what is more than a part of each process. */
  async function shrinkInstances(row: ReleaseRow, part: Part): Promise<void> {
    for (const [process, spec] of Object.entries(row.snapshot.processes))
      await store.deleteInstancesFrom(row.id, process, partOf(spec.instances, part));
  }

  async function arrangement(): Promise<Arrangement> {
    const [services, instances] = await Promise.all([store.services(), store.instances()]);
    // A release in traffic speaks for its routes also while none of its instances is left.
    const inTraffic = services.flatMap((each) => [each.stable_release, each.candidate_release]);
    const wanted = new Set(instances.map((each) => each.release));
    for (const id of inTraffic) if (id !== null) wanted.add(id);
    const releases = new Map((await store.releasesById([...wanted])).map((each) => [each.id, each]));
    for (const each of releases.values()) await refreshSecrets(each);
    return { services, instances, releases, secrets: known };
  }

  /** A secrets file that vanishes must not take down what runs: the values read last stay in force. */
  async function refreshSecrets(row: ReleaseRow): Promise<void> {
    try {
      known.set(row.id, await secretsOf(row));
    } catch (error) {
      if (!known.has(row.id)) throw error;
    }
  }

  function secretsOf(row: ReleaseRow): Promise<Record<string, string>> {
    return secrets.read(row.service, row.environment, row.snapshot.secrets);
  }

  return {
    registerRelease,
    promoteRelease,
    release,
    releases: store.releases,
    releasesById: store.releasesById,
    service,
    list: store.services,
    instance,
    instances: store.instances,
    verifyRelease,
    secretsOf,
    /** The names that have a value in the secrets file; none when there is no such file. */
    secretNames: (target: Target) => secrets.names(target.service, target.environment),
    arrangement,
    nextGeneration: store.nextGeneration,
    startInstances,
    shrinkInstances,
    stopInstances: (releaseId: string) => store.deleteInstances(releaseId),
    /** Sets who is on trial and with what share (ten-thousandths). */
    weigh: (target: Target, trial: { change: string; candidate: string; weight: number; proven: number }) =>
      store.updateService(target, {
        change: trial.change,
        candidate_release: trial.candidate,
        weight: trial.weight,
        proven: trial.proven,
        updated_at: clock.now(),
      }),
    /** Ends a trial: `stable` serves everybody. */
    settle: (target: Target, stable: string | null) =>
      store.updateService(target, {
        stable_release: stable,
        candidate_release: null,
        change: null,
        weight: 0,
        proven: 0,
        updated_at: clock.now(),
      }),
  };
}
export type Services = ReturnType<typeof createServices>;

async function readSnapshot(input: NewRelease): Promise<ServiceFile> {
  const file = path.join(input.directory, input.file);
  const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    throw new AppError("CONFIG_UNREADABLE", { file, reason: error.code ?? "unknown" }, { cause: error });
  });
  const parsed = parseServiceFile(text, file, input.environment);
  return { ...parsed, env: { ...parsed.env, ...input.env } };
}
