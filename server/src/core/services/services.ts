import path from "node:path";
import { AppError, type PlatformConfig } from "@mainstay/api";
import type { Audit } from "../audit/index.ts";
import type { Clock } from "../../kernel/clock.ts";
import type { Database } from "../../kernel/database/index.ts";
import type { TypedEvents } from "../../kernel/events/index.ts";
import type { Ids } from "../../kernel/ids.ts";
import type { Uploads } from "../uploads/index.ts";
import { createCollector } from "./collector.ts";
import { createContents } from "./contents.ts";
import { createIntake, type NewRelease, type TakenIn } from "./intake.ts";
import type { Origin } from "./origin.ts";
import { createOneAtATime } from "./one-at-a-time.ts";
import { createReleaseFiles } from "./release-files.ts";
import { createSecretsFile } from "./secrets-file.ts";
import {
  createServicesStore,
  type InstanceRow,
  type ReleaseRow,
  type ServiceRow,
  type Target,
} from "./store.ts";

/** How production ought to be arranged: what the agent is told, before it is put into the agent's words. */
export interface Arrangement {
  services: ServiceRow[];
  instances: InstanceRow[];
  releases: Map<string, ReleaseRow>;
  /** Secret values by release id, as the secrets file has them now. */
  secrets: ReadonlyMap<string, Record<string, string>>;
}

export interface ServicesDependencies {
  db: Database;
  clock: Clock;
  ids: Ids;
  audit: Audit;
  events: TypedEvents;
  dataDirectory: string;
  uploads: Pick<Uploads, "consume">;
  limits: PlatformConfig["uploads"];
}

export function createServices(dependencies: ServicesDependencies) {
  const { db, clock, ids, audit, events, dataDirectory, uploads, limits } = dependencies;
  const store = createServicesStore(db);
  const files = createReleaseFiles({ root: path.join(dataDirectory, "releases"), limits });
  const secrets = createSecretsFile({ directory: path.join(dataDirectory, "keys") });
  const runOne = createOneAtATime();
  const takeIn = createIntake({ files, uploads });
  const { collect } = createCollector({ db, clock, audit, store, files, runOne });
  const known = new Map<string, Record<string, string>>();

  async function registerRelease(input: NewRelease, origin: Origin): Promise<ReleaseRow> {
    return runOne(async () => record(await takeIn(input), origin));
  }

  async function record({ snapshot, stored, contents }: TakenIn, origin: Origin): Promise<ReleaseRow> {
    const now = clock.now();
    const target = { service: snapshot.service, environment: snapshot.environment };
    const row = {
      id: ids.next("rel"),
      ...target,
      digest: stored.digest,
      version: stored.version,
      directory: stored.directory,
      snapshot,
      created_at: now,
      created_by: origin.actor,
      collected_at: null,
    };
    await db.transaction().execute(async (tx) => {
      await store.ensureService(tx, target, now);
      await store.insertRelease(tx, row);
      await store.saveContents(tx, contents);
      const facts = { digest: row.digest, version: row.version };
      await audit.record(tx, {
        ...origin,
        ...target,
        action: "services.release_registered",
        resource: { type: "release", id: row.id },
        after: facts,
      });
      await events.emit(tx, {
        type: "services.release_registered",
        subject: row.id,
        data: { ...target, release: row.id, ...facts },
      });
    });
    return row;
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

  /**
   * Throws RELEASE_COLLECTED when its files were removed,
   * and RELEASE_ALTERED when one is no longer what was registered.
   */
  async function verifyRelease(row: ReleaseRow): Promise<void> {
    if (row.collected_at !== null) throw new AppError("RELEASE_COLLECTED", { release: row.id });
    if (!(await files.isIntact(row.directory, row.digest)))
      throw new AppError("RELEASE_ALTERED", { release: row.id });
  }

  /** Asks for every instance of a release; what is asked for already stays as it is. */
  async function startInstances(row: ReleaseRow): Promise<void> {
    const created_at = clock.now();
    const rows = Object.entries(row.snapshot.processes).flatMap(([process, spec]) =>
      Array.from({ length: spec.instances }, (_, ordinal) => ({
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

  async function arrangement(): Promise<Arrangement> {
    const [services, instances] = await Promise.all([store.services(), store.instances()]);
    const wanted = new Set(instances.map((each) => each.release));
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
    collect,
    release,
    ...createContents({ store, release }),
    releases: store.releases,
    releasesById: store.releasesById,
    service,
    list: store.services,
    instance,
    instances: store.instances,
    verifyRelease,
    secretsOf,
    arrangement,
    nextGeneration: store.nextGeneration,
    startInstances,
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
