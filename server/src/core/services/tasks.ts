import { AppError, type TaskName } from "@mainstay/api";
import type { Audit } from "../audit/index.ts";
import type { Clock } from "../../kernel/clock.ts";
import type { Database, Tx } from "../../kernel/database/index.ts";
import type { Ids } from "../../kernel/ids.ts";
import { maskSecrets } from "../../kernel/redact.ts";
import type { Origin } from "./origin.ts";
import type { ReleaseRow } from "./store.ts";
import { createTasksStore, type TaskRow } from "./tasks-store.ts";

/** What belongs to a change and ended unseen is run again, this often at most. */
const ATTEMPTS_MAX = 3;
const REPEATED: readonly TaskName[] = ["release", "hook"];
const PLATFORM: Origin = {
  actor: { type: "system", id: "mainstay", name: "Mainstay" },
  requestId: null,
  address: null,
};

/** How a task ended, as the agent saw it. */
export interface TaskEnd {
  state: "succeeded" | "failed" | "lost" | "stopped";
  exitCode: number | null;
  /** Why, in words; null when it succeeded. */
  reason: string | null;
  /** What it wrote, without secrets. */
  output: string;
}

/** What runs around a state of a change. */
export interface HookWish {
  /** Tells it apart from the change's other hooks. */
  name: string;
  command: string;
  env: Record<string, string>;
  timeoutMs: number;
  /** Why it must not run; null when it may. */
  refusal: string | null;
}

export interface TasksDependencies {
  db: Database;
  clock: Clock;
  ids: Ids;
  audit: Audit;
}

/** Commands that run once with the variables of a release. */
export function createTasks({ db, clock, ids, audit }: TasksDependencies) {
  const store = createTasksStore(db);

  function draft(release: ReleaseRow, about: Pick<TaskRow, "kind" | "command" | "timeout_ms">): TaskRow {
    const { service, environment } = release;
    return {
      ...{ id: ids.next("ins"), service, environment, release: release.id, ...about },
      ...{ change: null, name: "", attempt: 1, env: {}, compatibility: null, requested_by: PLATFORM.actor },
      ...{ state: "running", exit_code: null, reason: null, output: "" },
      ...{ created_at: clock.now(), finished_at: null },
    };
  }

  async function begin(tx: Tx, row: TaskRow, origin: Origin): Promise<boolean> {
    if (!(await store.insert(tx, row))) return false;
    const { id, service, environment, change, kind, name, release, attempt, reason } = row;
    await audit.record(tx, {
      ...origin,
      action: actionOf(kind, row.state === "running" ? "started" : row.state),
      resource: { type: "task", id },
      service,
      environment,
      change,
      after: { release, ...(name === "" ? {} : { name }), attempt, command: maskSecrets(row.command) },
      reason,
    });
    return true;
  }

  /** The first attempt of a change's release command; nothing when it was begun before. */
  async function startReleaseCommand(change: string, release: ReleaseRow): Promise<void> {
    const wanted = release.snapshot.release;
    if (!wanted) return;
    const { command, timeout, compatibility } = wanted;
    const about = draft(release, { kind: "release", command, timeout_ms: String(timeout) });
    await db.transaction().execute((tx) => begin(tx, { ...about, change, compatibility }, PLATFORM));
  }

  /** Once for a change: the stable release's process is started out of traffic, for as long as it takes. */
  async function startRehearsal(
    change: string,
    { stable, candidate }: { stable: ReleaseRow; candidate: ReleaseRow },
    { process, deadlineMs }: { process: string; deadlineMs: number },
  ): Promise<void> {
    const command = stable.snapshot.processes[process]?.command;
    if (command === undefined) throw new Error(`release ${stable.id} has no process ${process}`);
    const about = draft(stable, { kind: "rehearsal", command, timeout_ms: String(deadlineMs) });
    const row = { ...about, change, name: codeOf(candidate) };
    await db.transaction().execute((tx) => begin(tx, row, PLATFORM));
  }

  /** Once for a change and a name; with a refusal it has failed before it began. */
  async function startHook(
    change: string,
    release: ReleaseRow,
    { timeoutMs, refusal, ...wish }: HookWish,
  ): Promise<void> {
    const about = draft(release, { kind: "hook", command: wish.command, timeout_ms: String(timeoutMs) });
    const row: TaskRow = { ...about, ...wish, change };
    const failed = { state: "failed", reason: refusal, finished_at: row.created_at } as const;
    const begun = refusal === null ? row : { ...row, ...failed };
    await db.transaction().execute((tx) => begin(tx, begun, PLATFORM));
  }

  async function run(
    release: ReleaseRow,
    wish: { command: string; timeoutMs: number },
    origin: Origin,
  ): Promise<TaskRow> {
    const { command, timeoutMs } = wish;
    const about = draft(release, { kind: "run", command, timeout_ms: String(timeoutMs) });
    const row = { ...about, requested_by: origin.actor };
    await db.transaction().execute((tx) => begin(tx, row, origin));
    return row;
  }

  /** Writes down how a task ended, once; what belongs to a change and ended unseen gets another attempt. */
  async function finish(row: TaskRow, end: TaskEnd, origin: Origin = PLATFORM): Promise<void> {
    await db.transaction().execute(async (tx) => {
      const { state, exitCode: exit_code, reason, output } = end;
      const outcome = { state, exit_code, reason, output, finished_at: clock.now() };
      if (!(await store.finish(tx, row.id, outcome))) return;
      await audit.record(tx, {
        ...origin,
        action: actionOf(row.kind, state),
        resource: { type: "task", id: row.id },
        service: row.service,
        environment: row.environment,
        change: row.change,
        after: { release: row.release, attempt: row.attempt, exitCode: exit_code },
        reason,
      });
      const isRepeated = state === "lost" && REPEATED.includes(row.kind) && row.attempt < ATTEMPTS_MAX;
      if (!isRepeated) return;
      const again = { ...row, id: ids.next("ins"), attempt: row.attempt + 1, created_at: clock.now() };
      await begin(tx, again, PLATFORM);
    });
  }

  async function task(id: string): Promise<TaskRow> {
    const row = await store.task(id);
    if (!row) throw new AppError("NOT_FOUND", { what: `instance ${id}` });
    return row;
  }

  /** Whether a release still has to run its release command; one that comes back does not. */
  async function isReleaseCommandDue(release: ReleaseRow): Promise<boolean> {
    if (!release.snapshot.release) return false;
    return !(await store.hasSucceeded(codeOf(release)));
  }

  /**
   * Whether it is still to be tried that the stable release can start after the candidate's release command.
   * A command that ran in a change that was undone does not run again, but what it did to the schema stands.
   */
  async function isRehearsalDue(candidate: ReleaseRow, stable: ReleaseRow): Promise<boolean> {
    if (candidate.snapshot.release?.compatibility !== "expand") return false;
    if (await isReleaseCommandDue(candidate)) return true;
    // Ids of releases rise with the time they were registered: going back to older code alters no schema.
    return codeOf(candidate) > codeOf(stable) && !(await store.hasRehearsed(codeOf(candidate)));
  }

  /** Throws RELEASE_BEFORE_MIGRATION for code that is older than a schema it cannot run on. */
  async function mustFitSchema(release: ReleaseRow): Promise<void> {
    const contract = await store.lastContract(release);
    // Ids of releases rise with the time they were registered.
    if (!contract || codeOf(release) >= contract.release) return;
    const at = contract.finished_at?.toISOString() ?? "";
    throw new AppError("RELEASE_BEFORE_MIGRATION", { candidate: release.id, release: contract.release, at });
  }

  return {
    startReleaseCommand,
    startRehearsal,
    startHook,
    run,
    finish,
    task,
    isReleaseCommandDue,
    isRehearsalDue,
    mustFitSchema,
    prune: store.prune,
    running: store.running,
    ofChange: store.ofChange,
    ofService: store.ofService,
  };
}
export type Tasks = ReturnType<typeof createTasks>;

/** The first release with the same code. */
function codeOf(release: Pick<ReleaseRow, "id" | "origin">): string {
  return release.origin ?? release.id;
}

function actionOf(kind: TaskName, what: string): string {
  const isCommand = kind === "release" || kind === "run";
  return isCommand ? `services.${kind}_command_${what}` : `services.${kind}_${what}`;
}
