import path from "node:path";
import { AppError, type PlatformConfig } from "@mainstay/api";
import type { Audit } from "../audit/index.ts";
import type { Clock } from "../../kernel/clock.ts";
import type { Database } from "../../kernel/database/index.ts";
import type { TypedEvents } from "../../kernel/events/index.ts";
import type { Ids } from "../../kernel/ids.ts";
import { MASK, maskSecrets } from "../../kernel/redact.ts";
import type { Uploads } from "../uploads/index.ts";
import { createCollector } from "./collector.ts";
import { createContents } from "./contents.ts";
import { createIntake, type NewRelease, type TakenIn } from "./intake.ts";
import type { Origin } from "./origin.ts";
import { provideImages, type ImageStore } from "./images.ts";
import { createOneAtATime } from "./one-at-a-time.ts";
import { createReleaseFiles } from "./release-files.ts";
import { createRoster } from "./roster.ts";
import { createSecretsFile } from "./secrets-file.ts";
import { applySettings, createSettings } from "./settings.ts";
import { createTasks } from "./tasks.ts";
import type { TaskRow } from "./tasks-store.ts";
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
  /** Commands that run once, as long as they do. */
  tasks: TaskRow[];
  releases: Map<string, ReleaseRow>;
  /** Secret values by release id, as the secrets file has them now. */
  secrets: ReadonlyMap<string, Record<string, string>>;
}

const NO_VALUES: Record<string, string> = {};
/** A shorter value stands in every other line by chance: masking it would hide more than it protects. */
const SECRET_LENGTH_MIN = 4;

export interface ServicesDependencies {
  db: Database;
  clock: Clock;
  ids: Ids;
  audit: Audit;
  events: TypedEvents;
  dataDirectory: string;
  uploads: Pick<Uploads, "consume">;
  images: ImageStore;
  limits: PlatformConfig["uploads"];
}

export function createServices(dependencies: ServicesDependencies) {
  const { db, clock, ids, audit, events, dataDirectory, uploads, images, limits } = dependencies;
  const store = createServicesStore(db);
  const files = createReleaseFiles({ root: path.join(dataDirectory, "releases"), limits });
  const secrets = createSecretsFile({ directory: path.join(dataDirectory, "keys") });
  const runOne = createOneAtATime();
  const takeIn = createIntake({ files, uploads, images });
  const { collect } = createCollector({ db, clock, audit, store, files, images, runOne });
  const known = new Map<string, Record<string, string>>();
  const roster = createRoster({ store, clock, ids });
  const settings = createSettings({ db, clock, ids, audit, events, store, secrets });
  const tasks = createTasks({ db, clock, ids, audit });

  async function registerRelease(input: NewRelease, origin: Origin): Promise<ReleaseRow> {
    return runOne(async () => record({ ...(await takeIn(input)), env: input.env }, origin));
  }

  async function record(taken: TakenIn & Pick<NewRelease, "env">, origin: Origin): Promise<ReleaseRow> {
    const { snapshot: file, env, stored, contents } = taken;
    const now = clock.now();
    const target = { service: file.service, environment: file.environment };
    const before = await settings.serving(target);
    const inForce = before?.settings ?? { env: {}, secrets: [] };
    const set = applySettings(file, inForce);
    const row: ReleaseRow = {
      id: ids.next("rel"),
      ...target,
      digest: stored.digest,
      version: stored.version,
      directory: stored.directory,
      snapshot: { ...set, env: { ...set.env, ...env } },
      ...{ base: null, origin: null, settings: inForce },
      secrets_version: before?.secrets_version ?? null,
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
    if (!row) throw unknownService(target);
    return row;
  }

  /** Turns the maintenance page on (visitors are told when to come back) or off (null). */
  async function setMaintenance(
    target: Target,
    wish: { retryAfterMs: number | null; reason: string | null },
    origin: Origin,
  ): Promise<ServiceRow> {
    const { retryAfterMs, reason } = wish;
    await db.transaction().execute(async (tx) => {
      const before = await store.lockService(tx, target);
      if (!before) throw unknownService(target);
      if (before.maintenance_retry_after_ms === retryAfterMs) return;
      const patch = { maintenance_retry_after_ms: retryAfterMs, updated_at: clock.now() };
      await store.updateService(target, patch, tx);
      await audit.record(tx, {
        ...origin,
        ...target,
        action: `services.maintenance_${retryAfterMs === null ? "ended" : "begun"}`,
        resource: { type: "service", id: `${target.environment}/${target.service}` },
        before: { retryAfterMs: before.maintenance_retry_after_ms },
        after: { retryAfterMs },
        reason,
      });
    });
    return service(target);
  }

  /** Whose log it is, and the log itself once it is kept here because nobody writes it any more. */
  async function logged(id: string): Promise<{ release: string; output: string | null }> {
    const row = await store.instance(id);
    if (row) return { release: row.release, output: null };
    const task = await tasks.task(id);
    return { release: task.release, output: task.finished_at === null ? null : task.output };
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

  async function arrangement(): Promise<Arrangement> {
    const [services, instances, running] = await Promise.all([
      store.services(),
      store.instances(),
      tasks.running(),
    ]);
    const wanted = new Set([...instances, ...running].map((each) => each.release));
    const releases = new Map((await store.releasesById([...wanted])).map((each) => [each.id, each]));
    for (const each of releases.values()) await refreshSecrets(each);
    return { services, instances, tasks: running, releases, secrets: known };
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
    return secrets.read(row, row.snapshot.secrets, row.secrets_version);
  }

  /** Takes the values of a release's secrets out of a text, as far as they are long enough to be told. */
  async function createRedactor(releaseId: string): Promise<(text: string) => string> {
    const row = await release(releaseId);
    const values = known.get(releaseId) ?? (await secretsOf(row).catch(() => NO_VALUES));
    const telling = Object.values(values).filter((value) => value.length >= SECRET_LENGTH_MIN);
    return (text) => telling.reduce((masked, value) => masked.replaceAll(value, MASK), maskSecrets(text));
  }

  return {
    registerRelease,
    collect,
    release,
    ...createContents({ store, release }),
    releases: store.releases,
    releasesById: store.releasesById,
    ...{ service, setMaintenance },
    list: store.services,
    logged,
    instances: store.instances,
    verifyRelease,
    /** Throws what keeps an image of the release from being on its machine. */
    provideImages: (row: ReleaseRow) => provideImages(row.snapshot, images),
    secretsOf,
    arrangement,
    ...{ nextGeneration: store.nextGeneration, createRedactor },
    roster,
    settings,
    tasks,
    setScale: (target: Target, scale: Record<string, number>) => store.setScale(target, scale, clock.now()),
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

function unknownService({ service, environment }: Target): AppError {
  return new AppError("NOT_FOUND", { what: `service ${service} in ${environment}` });
}
