import path from "node:path";
import { AppError, type PlatformConfig } from "@mainstay/api";
import type { Audit } from "../audit/index.ts";
import type { Clock } from "../../kernel/clock.ts";
import type { Database } from "../../kernel/database/index.ts";
import type { TypedEvents } from "../../kernel/events/index.ts";
import type { Ids } from "../../kernel/ids.ts";
import { MASK, maskSecrets } from "../../kernel/redact.ts";
import type { Sealer } from "../secrets/index.ts";
import type { Uploads } from "../uploads/index.ts";
import { createBuilding } from "./building.ts";
import { createCollector } from "./collector.ts";
import { createContents } from "./contents.ts";
import { createIntake, type NewRelease } from "./intake.ts";
import type { Origin } from "../../kernel/http/index.ts";
import { provideImages, type ImageStore } from "./images.ts";
import { createMaintenance } from "./maintenance.ts";
import { createOneAtATime } from "./one-at-a-time.ts";
import { createReleaseFiles } from "./release-files.ts";
import { createRegistration } from "./registration.ts";
import { createRoster } from "./roster.ts";
import { createSecrets } from "./secrets.ts";
import { createSettings } from "./settings.ts";
import type { Signatures } from "./signatures.ts";
import { createTaskInputs } from "./task-inputs.ts";
import { createTasks } from "./tasks.ts";
import type { TaskRow } from "./tasks-store.ts";
import { createTrials } from "./trials.ts";
import { unknownService } from "./unknown-service.ts";
import {
  createServicesStore,
  type InstanceRow,
  type ReleaseRow,
  type ServiceRow,
  type Target,
} from "./store.ts";

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
  /** Commands that run once, as long as they do. */
  tasks: TaskRow[];
  releases: Map<string, ReleaseRow>;
  /** Secret values by release id, each of the version that the release names. */
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
  signatures: Signatures;
  sealer: Sealer;
}

interface Logged extends Target {
  release: string;
  isTask: boolean;
  output: string | null;
}

function whereabouts({ service, environment, release }: Target & { release: string }) {
  return { service, environment, release };
}

export function createServices(dependencies: ServicesDependencies) {
  const { db, clock, ids, audit, events, dataDirectory, uploads, images, limits, signatures, sealer } =
    dependencies;
  const store = createServicesStore(db);
  const files = createReleaseFiles({ root: path.join(dataDirectory, "releases"), limits });
  const secrets = createSecrets({ db, clock, ids, sealer });
  const runOne = createOneAtATime();
  const intake = createIntake({ files, uploads, images, store });
  const known = new Map<string, Record<string, string>>();
  const roster = createRoster({ store, clock, ids });
  const settings = createSettings({ db, clock, ids, audit, events, store, secrets });
  const tasks = createTasks({ db, clock, ids, audit, inputs: createTaskInputs({ dataDirectory, uploads }) });
  const record = createRegistration({ db, clock, ids, audit, events, store, settings, secrets, signatures });
  const setMaintenance = createMaintenance({ db, clock, audit, store });

  async function registerRelease(input: NewRelease, origin: Origin, promotes?: string): Promise<ReleaseRow> {
    return runOne(async () => record({ ...input, ...(await intake.takeIn(input)), promotes }, origin));
  }

  /** The same files as a release of another environment, with what the service file says of that one. */
  async function promoteRelease(id: string, to: Promotion, origin: Origin): Promise<ReleaseRow> {
    const source = await release(id);
    await verifyRelease(source);
    const { digest, file, signature } = source;
    return registerRelease({ digest, file, signature: signature ?? undefined, ...to }, origin, id);
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

  /** Whose log it is, and the log itself once it is kept here because nobody writes it any more. */
  async function logged(id: string): Promise<Logged> {
    const instance = await store.instance(id);
    if (instance) return { ...whereabouts(instance), isTask: false, output: null };
    const task = await tasks.task(id);
    return { ...whereabouts(task), isTask: true, output: task.finished_at === null ? null : task.output };
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
    // One after the other: asked every second or two, at once they would keep a connection each.
    const services = await store.services();
    const instances = await store.instances();
    const running = await tasks.running();
    // A release in traffic speaks for its routes also while none of its instances is left.
    const inTraffic = services.flatMap((each) => [each.stable_release, each.candidate_release]);
    const wanted = new Set([...instances, ...running].map((each) => each.release));
    for (const id of inTraffic) if (id !== null) wanted.add(id);
    const releases = new Map((await store.releasesById([...wanted])).map((each) => [each.id, each]));
    for (const id of known.keys()) if (!releases.has(id)) known.delete(id);
    for (const each of releases.values()) {
      // A version never changes: what was opened once need not be opened for every beat.
      if (!known.has(each.id)) known.set(each.id, await secrets.read(each));
    }
    return { services, instances, tasks: running, releases, secrets: known };
  }

  /** Takes the values of a release's secrets out of a text, as far as they are long enough to be told. */
  async function createRedactor(releaseId: string): Promise<(text: string) => string> {
    const row = await release(releaseId);
    const values = known.get(releaseId) ?? (await secrets.read(row).catch(() => NO_VALUES));
    const lines = Object.values(values).flatMap((value) => [value, ...value.split("\n")]);
    const telling = lines.filter((line) => line.trim().length >= SECRET_LENGTH_MIN);
    return (text) => telling.reduce((masked, value) => masked.replaceAll(value, MASK), maskSecrets(text));
  }

  return {
    registerRelease,
    promoteRelease,
    ...createBuilding({ files, signatures, intake, runOne, record }),
    ...createCollector({ db, clock, audit, store, files, images, runOne }),
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
    secretsOf: secrets.read,
    /** The names that have a value in the version that the release names. */
    secretNames: secrets.names,
    secrets,
    arrangement,
    ...{ nextGeneration: store.nextGeneration, createRedactor },
    roster,
    settings,
    tasks,
    setScale: (target: Target, scale: Record<string, number>) => store.setScale(target, scale, clock.now()),
    ...createTrials({ store, clock }),
  };
}
export type Services = ReturnType<typeof createServices>;
