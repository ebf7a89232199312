import path from "node:path";
import { AppError, type PlatformConfig } from "@mainstay/api";
import type { Audit } from "../audit/index.ts";
import type { Origin } from "../../kernel/http/index.ts";
import type { NewRelease, Services, Source } from "../services/index.ts";
import type { Clock } from "../../kernel/clock.ts";
import type { Database, Tx } from "../../kernel/database/index.ts";
import type { Ids } from "../../kernel/ids.ts";
import { maskSecrets } from "../../kernel/redact.ts";
import { nextToBegin } from "./domain/turns.ts";
import { createStaging } from "./staging.ts";
import { createBuildsStore, type BuildRow, type Outcome } from "./store.ts";

const PLATFORM: Origin = {
  actor: { type: "system", id: "mainstay", name: "Mainstay" },
  requestId: null,
  address: null,
};

export interface BuildWish extends NewRelease {
  /** Build although the same source was built before. */
  rebuild: boolean;
}

/** How a build ended that makes nothing. */
export interface VainEnd {
  state: "failed" | "stopped";
  exitCode: number | null;
  reason: string;
  output: string;
}

export interface BuildsDependencies {
  db: Database;
  clock: Clock;
  ids: Ids;
  audit: Audit;
  services: Pick<Services, "withSource" | "isStored" | "registerRelease" | "registerBuilt">;
  dataDirectory: string;
  limits: PlatformConfig["builds"];
}

/** Makes releases by running a command in a copy of what was deployed. Who runs it asks what is due. */
export function createBuilds(dependencies: BuildsDependencies) {
  const { db, clock, ids, audit, services, dataDirectory, limits } = dependencies;
  const store = createBuildsStore(db);
  const staging = createStaging(path.join(dataDirectory, "builds"));

  /** A new build, or one that takes over what an earlier one has made of the same source. */
  async function request(wish: BuildWish, origin: Origin): Promise<BuildRow> {
    const { digest, file } = wish;
    if (digest !== undefined) {
      const earlier = await reusable(digest, file);
      if (!earlier) throw new AppError("NOT_FOUND", { what: `a build of ${digest}` });
      return reuse(earlier, wish, origin);
    }
    const seen = await services.withSource(wish, async (source) => {
      const earlier = wish.rebuild ? null : await reusable(source.digest, file);
      return earlier ? { earlier } : { begun: await enqueue(source, wish, origin) };
    });
    return seen.begun ?? reuse(seen.earlier, wish, origin);
  }

  async function reusable(sourceDigest: string, file: string): Promise<BuildRow | null> {
    const earlier = await store.ofSource(sourceDigest, file);
    const hasFiles = earlier?.digest ? await services.isStored(earlier.digest) : false;
    return earlier && hasFiles ? earlier : null;
  }

  async function reuse(earlier: BuildRow, wish: BuildWish, origin: Origin): Promise<BuildRow> {
    const { file, environment, env, signature, permit } = wish;
    const { id: reuses, digest } = earlier;
    const named = { file, environment, env, signature, permit };
    const release = await services.registerRelease({ ...named, digest: digest ?? "" }, origin);
    const now = clock.now();
    const row: BuildRow = {
      ...earlier,
      ...{ id: ids.next("bld"), reuses, state: "succeeded", output: "", release: release.id },
      ...{ service: release.service, environment: release.environment, wish: { env, signature } },
      ...{ requested_by: origin.actor, created_at: now, started_at: null, finished_at: now },
    };
    await db.transaction().execute(async (tx) => {
      await store.insert(tx, row);
      await record(tx, row, { origin, act: "reused", after: { reuses, release: release.id } });
    });
    return row;
  }

  async function enqueue(source: Source, wish: BuildWish, origin: Origin): Promise<BuildRow> {
    const { service, environment, build: step } = source.snapshot;
    if (!step) throw new Error("only the source of a build is built");
    const { length: count } = await store.unfinished();
    if (count >= limits.waiting) throw new AppError("BUILD_LIMIT", { count });
    const { file, env, signature } = wish;
    const row: BuildRow = {
      ...{ id: ids.next("bld"), service, environment, source_digest: source.digest, file, step },
      ...{ wish: { env, signature }, state: "waiting", exit_code: null, reason: null, output: "" },
      ...{ digest: null, release: null, reuses: null, requested_by: origin.actor },
      ...{ created_at: clock.now(), started_at: null, finished_at: null },
    };
    await staging.fill(row.id, async (place) => {
      await source.copyTo(place.files);
      await db.transaction().execute(async (tx) => {
        await store.insert(tx, row);
        const after = { sourceDigest: row.source_digest, command: maskSecrets(step.command) };
        await record(tx, row, { origin, act: "requested", after });
      });
    });
    return row;
  }

  /** Gives those their turn whose turn it is; answers whether there were any. */
  async function beginDue(): Promise<boolean> {
    const due = nextToBegin(await store.unfinished(), limits.atOnce);
    for (const row of due) {
      await db.transaction().execute(async (tx) => {
        if (await store.begin(tx, row.id, clock.now()))
          await record(tx, row, { origin: PLATFORM, act: "started", after: {} });
      });
    }
    return due.length > 0;
  }

  /** Makes a release of what a build has left. What cannot become one ends the build as failed. */
  async function succeed(row: BuildRow, output: string): Promise<void> {
    const { id, service, environment, source_digest: sourceDigest, file, wish } = row;
    const { files: directory } = staging.placeOf(id);
    const result = { directory, service, environment, file, build: id, sourceDigest, ...wish };
    const origin: Origin = { actor: row.requested_by, requestId: null, address: null };
    try {
      await services.registerBuilt(result, origin, async (tx, { id: release, digest }) => {
        const outcome = { exit_code: 0, reason: null, output, release, digest };
        const isOurs = await end(tx, row, { outcome: { ...outcome, state: "succeeded" }, origin: PLATFORM });
        // Stopped meanwhile: the release is taken back with this transaction, and how it ended stays.
        if (!isOurs) throw new AppError("NOT_FOUND", { what: `a running build ${id}` });
      });
    } catch (error) {
      if (!(error instanceof AppError) && !isOfDisk(error)) throw error;
      const reason = `what it left cannot become a release: ${error.message}`;
      await fail(row, { state: "failed", exitCode: 0, reason, output });
    }
  }

  async function fail(
    row: BuildRow,
    { exitCode, ...rest }: VainEnd,
    origin: Origin = PLATFORM,
  ): Promise<void> {
    const outcome = { ...rest, exit_code: exitCode };
    await db.transaction().execute((tx) => end(tx, row, { outcome, origin }));
  }

  async function end(
    tx: Tx,
    row: BuildRow,
    { outcome, origin }: { outcome: Outcome; origin: Origin },
  ): Promise<boolean> {
    if (!(await store.finish(tx, row.id, { ...outcome, finished_at: clock.now() }))) return false;
    const { state, exit_code: exitCode, release = null, reason } = outcome;
    await record(tx, row, { origin, act: state, after: { release, exitCode }, reason });
    return true;
  }

  async function record(
    tx: Tx,
    { id, service, environment }: BuildRow,
    about: { origin: Origin; act: string; after: Record<string, unknown>; reason?: string | null },
  ): Promise<void> {
    const { origin, act, after, reason = null } = about;
    const resource = { type: "build", id };
    const where = { service, environment };
    await audit.record(tx, { ...origin, ...where, resource, after, reason, action: `builds.build_${act}` });
  }

  async function build(id: string): Promise<BuildRow> {
    const row = await store.build(id);
    if (!row) throw new AppError("NOT_FOUND", { what: `build ${id}` });
    return row;
  }

  /** Removes the directories of builds that are over, once nothing runs in them any more. */
  async function sweep(isRunning: (id: string) => boolean): Promise<void> {
    const unfinished = new Set((await store.unfinished()).map((each) => each.id));
    await staging.sweep((id) => unfinished.has(id) || isRunning(id));
  }

  return {
    request,
    beginDue,
    succeed,
    fail,
    sweep,
    build,
    placeOf: staging.placeOf,
    latest: store.latest,
    unfinished: store.unfinished,
    running: store.running,
    prune: store.prune,
  };
}
export type Builds = ReturnType<typeof createBuilds>;

/** A full disk, say: the code of a system call, not of Node. */
function isOfDisk(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && "syscall" in error;
}
