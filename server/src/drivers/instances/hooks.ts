import { AppError, momentOf, stopsChange, UNDO_STATES, type Hook } from "@mainstay/api";
import { isPassed } from "@mainstay/rollout";
import type { ChangeView, Hooks, Observation, Occasion, Step } from "../../core/changes/index.ts";
import type { ReleaseRow, TaskRow } from "../../core/services/index.ts";
import { remain, stopTasks, type TaskEndingDependencies } from "./task-ending.ts";

const NOTHING: Observation = { waitingFor: null, failure: null };

/** A hook of the candidate whose moment has come. */
interface DueHook {
  hook: Hook;
  occasion: Occasion;
  /** The same whenever it is asked for, so that it runs once. */
  name: string;
}

/** Runs the hooks of a candidate's service file through the agent, one after the other. */
export function createHooks(dependencies: TaskEndingDependencies): Hooks {
  const { services, link } = dependencies;
  const { tasks } = services;

  function plan({ plan: planned }: ChangeView): Step[] {
    const passed = (planned.hooks ?? []).filter(({ state }) => isPassed(planned, state));
    return passed.map(({ when, state, what }) => ({
      ...{ driver: "hooks", act: when, title: `${when} ${state}: ${what}` },
      ...{ state, stage: null, undoneIn: null },
    }));
  }

  async function run(change: ChangeView, occasions: readonly Occasion[]): Promise<Observation> {
    const release = await services.release(change.candidate);
    // Later attempts come later: the last one of a name counts.
    const rows = new Map((await tasks.ofChange(change.id, "hook")).map((row) => [row.name, row]));
    const told: string[] = [];
    for (const due of dueHooks(release, occasions)) {
      const row = rows.get(due.name);
      if (!row) await start(change, release, due);
      if (!row || row.state === "running") return { ...NOTHING, waitingFor: `the hook ${due.name} to end` };
      const words = `${due.name} ${row.reason ? `${row.state}: ${row.reason}` : row.state}`;
      const hasFailed = row.state !== "succeeded";
      if (hasFailed && stopsChange(due.hook)) return { ...NOTHING, failure: `the hook ${words}` };
      told.push(hasFailed ? `${words} (ignored)` : words);
    }
    return { ...NOTHING, note: told.length > 0 ? told.join("; ") : null };
  }

  async function start(change: ChangeView, release: ReleaseRow, due: DueHook): Promise<void> {
    const { hook, occasion, name } = due;
    const env = {
      MAINSTAY_CHANGE: change.id,
      MAINSTAY_STABLE_RELEASE: change.stable ?? "",
      MAINSTAY_STATE: occasion.state,
    };
    const { command, timeout: timeoutMs } = hook;
    const refusal = await refusalOf(release);
    await tasks.startHook(change.id, release, { name, command, env, timeoutMs, refusal });
    await link.sync();
  }

  /** Why the release's files must not run; null when they are as they were. */
  async function refusalOf(release: ReleaseRow): Promise<string | null> {
    try {
      await services.verifyRelease(release);
      return null;
    } catch (error) {
      if (error instanceof AppError) return error.message;
      throw error;
    }
  }

  const onTheWay = async ({ id }: ChangeView) =>
    (await tasks.ofChange(id, "hook")).filter((row) => !isOfUndo(row));

  return {
    plan,
    run,
    async stop(change) {
      const left = (await onTheWay(change)).filter((row) => row.finished_at === null);
      if (left.length > 0) await stopTasks(dependencies, left);
    },
    remain: async (change) => remain(link, await onTheWay(change)),
  };
}

function dueHooks({ snapshot }: ReleaseRow, occasions: readonly Occasion[]): DueHook[] {
  return occasions.flatMap((occasion) =>
    snapshot.hooks.flatMap((hook, index) => {
      const { when, state } = momentOf(hook);
      if (when !== occasion.when || state !== occasion.state) return [];
      return [{ hook, occasion, name: `${occasionWords(occasion)} (hook ${index + 1})` }];
    }),
  );
}

/** States that are passed once for each stage, or for each batch. */
const STAGED = ["starting", "gating", "stepping"];

function occasionWords({ when, state, stage }: Occasion): string {
  const isStaged = STAGED.includes(state) && stage >= 0;
  return `${when} ${state}${isStaged ? `, stage ${stage + 1}` : ""}`;
}

function isOfUndo({ env }: TaskRow): boolean {
  return UNDO_STATES.some((each) => each === env["MAINSTAY_STATE"]);
}
