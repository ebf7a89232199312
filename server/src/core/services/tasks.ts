import { AppError, type TaskName } from "@mainstay/api";
import type { Audit } from "../audit/index.ts";
import type { Clock } from "../../kernel/clock.ts";
import type { Database, Tx } from "../../kernel/database/index.ts";
import type { Ids } from "../../kernel/ids.ts";
import { maskSecrets } from "../../kernel/redact.ts";
import type { Origin } from "../../kernel/http/index.ts";
import type { ReleaseRow } from "./store.ts";
import type { TaskInputs } from "./task-inputs.ts";
import { createTasksStore, type TaskRow } from "./tasks-store.ts";

/** What belongs to a change and ended unseen is run again, this often at most. */
const ATTEMPTS_MAX = 3;
/** An input this old belongs to a command, or to one that never came to be. */
const ORPHANED_MS = 3_600_000;
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
  inputs: TaskInputs;
}

/** Commands that run once with the variables of a release. */
export function createTasks({ db, clock, ids, audit, inputs }: TasksDependencies) {
  const store = createTasksStore(db);

  function draft(release: ReleaseRow, about: Pick<TaskRow, "kind" | "command" | "timeout_ms">): TaskRow {
    const { service, environment } = release;
    return {
      ...{ id: ids.next("ins"), service, environment, release: release.id, ...about },
      ...{ change: null, name: "", attempt: 1, env: {}, compatibility: null, requested_by: PLATFORM.actor },
      input_bytes: null,
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
      after: {
        ...{ release, ...(name === "" ? {} : { name }), attempt, command: maskSecrets(row.command) },
        ...inputOf(row),
      },
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
    const serving = stable.snapshot.processes[process];
    if (!serving) throw new Error(`release ${stable.id} has no process ${process}`);
    // An image may say by itself what it starts.
    const command = serving.command ?? "";
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
    wish: { command: string; timeoutMs: number; input?: string | undefined },
    origin: Origin,
  ): Promise<TaskRow> {
    const { command, timeoutMs, input } = wish;
    const about = draft(release, { kind: "run", command, timeout_ms: String(timeoutMs) });
    const sizeBytes = input === undefined ? null : await inputs.take(about.id, input);
    const input_bytes = sizeBytes === null ? null : String(sizeBytes);
    const row = { ...about, requested_by: origin.actor, input_bytes };
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
    await inputs.remove(row.id);
  }

  /** Forgets what ended before a time, and inputs that no command reads. */
  async function prune(before: Date): Promise<void> {
    await store.prune(before);
    const taken = await inputs.takenBefore(new Date(clock.now().getTime() - ORPHANED_MS));
    const running = new Set((await store.running()).map(({ id }) => id));
    for (const id of taken) if (!running.has(id)) await inputs.remove(id);
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
    prune,
    running: store.running,
    ofChange: store.ofChange,
    ofService: store.ofService,
  };
}
export type Tasks = ReturnType<typeof createTasks>;

function inputOf({ input_bytes: bytes }: TaskRow): { inputBytes?: number } {
  return bytes === null ? {} : { inputBytes: Number(bytes) };
}

/** The first release with the same code. */
function codeOf(release: Pick<ReleaseRow, "id" | "origin">): string {
  return release.origin ?? release.id;
}

function actionOf(kind: TaskName, what: string): string {
  const isCommand = kind === "release" || kind === "run";
  return isCommand ? `services.${kind}_command_${what}` : `services.${kind}_${what}`;
}
