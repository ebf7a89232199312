import path from "node:path";
import type { ChangeResource, ReleaseResource, TimelineEntry } from "@mainstay/api";
import { CliError, EXIT } from "../cli-error.ts";
import type { Context } from "../context.ts";
import { entryLine, statusLine } from "../output/change-words.ts";
import { watchChange } from "../watch-change.ts";
import { PAYLOAD } from "./payload.ts";
import type { DemoPlatform } from "./platform.ts";

/** One deployment of the demo and how it is expected to end. */
export interface Act {
  title: string;
  directory: string;
  file: string;
  expected: "succeeded" | "undone";
  /** Who undoes it; null: nobody. */
  undoneBy: "judge" | "gate" | null;
  /** kill -9 of the server as soon as this stage is reached. */
  killServerInStage: number | null;
}

export const FIRST: Act = {
  title: "verdaccio 6.7.1, the first release",
  directory: PAYLOAD.stable,
  file: "mainstay.yaml",
  expected: "succeeded",
  undoneBy: null,
  killServerInStage: null,
};

/** What happens under load, in order. */
export const ACTS: Act[] = [
  {
    title: "verdaccio 6.10.4, a good release (and the server is killed with kill -9 at 50 %)",
    directory: PAYLOAD.next,
    file: "mainstay.yaml",
    expected: "succeeded",
    undoneBy: null,
    killServerInStage: 2,
  },
  {
    title: "a release that fails 5 % of its requests",
    directory: PAYLOAD.next,
    file: "mainstay.failing.yaml",
    expected: "undone",
    undoneBy: "judge",
    killServerInStage: null,
  },
  {
    title: "a release that takes three times as long",
    directory: PAYLOAD.next,
    file: "mainstay.slow.yaml",
    expected: "undone",
    undoneBy: "judge",
    killServerInStage: null,
  },
  {
    title: "a release that answers well and never closes a file",
    directory: PAYLOAD.next,
    file: "mainstay.leaking.yaml",
    expected: "undone",
    undoneBy: "gate",
    killServerInStage: null,
  },
];

export interface ActResult extends Pick<Act, "title" | "expected" | "undoneBy"> {
  change: string;
  /** "succeeded" once all traffic is on the candidate. */
  ended: string;
  by: string;
  reason: string;
  /** Seconds from the first request to the candidate; null where there was no verdict of harm. */
  verdictAfterSeconds: number | null;
  restoredAfterSeconds: number | null;
  tookSeconds: number;
}

/**
 * A good release may wait for minutes at its first stage: a process that few users
 * keep warm is slower at first, and the judge wants it shown that this is no harm.
 */
const ACT_TIMEOUT_MS = 600_000;

/** Deploys one release and watches it to its end, over every restart of the server. */
export async function play(context: Context, platform: DemoPlatform, act: Act): Promise<ActResult> {
  const startedAtMs = performance.now();
  context.print(`\n▶ ${act.title}`);
  const release = await platform.deployer.post<ReleaseResource>("/releases", {
    directory: act.directory,
    file: act.file,
    env: { STORAGE: path.join(platform.dataDirectory, "registry") },
  });
  const change = await platform.deployer.post<ChangeResource>("/changes", { candidate: release.id });
  const ended = await watch(context, platform, { id: change.id, act }).catch(tooLate(act));
  const { items } = await platform.api.get<{ items: TimelineEntry[] }>(`/changes/${change.id}/timeline`);
  return { ...describe(act, ended, items), tookSeconds: (performance.now() - startedAtMs) / 1000 };
}

async function watch(
  context: Context,
  platform: DemoPlatform,
  task: { id: string; act: Act },
): Promise<ChangeResource> {
  let hasKilled = task.act.killServerInStage === null;
  return watchChange(platform.api, {
    id: task.id,
    signal: AbortSignal.timeout(ACT_TIMEOUT_MS),
    isDone: isOver,
    async onItem({ change, entries }) {
      for (const entry of entries) context.print(`  ${entryLine(entry, change.stages)}`);
      context.status(`  ${statusLine(change, context.nowMs())}`);
      if (hasKilled || change.stage !== task.act.killServerInStage) return;
      hasKilled = true;
      context.print(`  ✗ kill -9 of the server (pid ${await platform.killServer()})`);
    },
  });
}

function tooLate(act: Act): (error: unknown) => never {
  return (error) => {
    const isTimeout = error instanceof DOMException && error.name === "TimeoutError";
    if (!isTimeout) throw error;
    throw new CliError(`${act.title}: no end within ${ACT_TIMEOUT_MS / 1000} s`, EXIT.timedOut);
  };
}

function isOver({ state }: ChangeResource): boolean {
  return state === "baking" || state === "succeeded" || state === "undone" || state === "undo-blocked";
}

function describe(
  act: Act,
  change: ChangeResource,
  timeline: TimelineEntry[],
): Omit<ActResult, "tookSeconds"> {
  const verdict = timeline.find((entry) => entry.to === "restoring-weights");
  const restored = timeline.find((entry) => entry.to === "draining-candidate");
  const last = timeline.findLast((entry) => entry.to === "baking") ?? timeline.at(-1);
  const decisive = verdict ?? last;
  return {
    ...{ title: act.title, expected: act.expected, undoneBy: act.undoneBy, change: change.id },
    ended: change.state === "baking" ? "succeeded" : change.state,
    by: decisive?.by ?? "nobody",
    reason: decisive?.reason ?? "",
    verdictAfterSeconds: since(change.firstCandidateAt, verdict?.at),
    restoredAfterSeconds: since(change.firstCandidateAt, restored?.at),
  };
}

function since(first: string | null, then: string | undefined): number | null {
  return first === null || then === undefined ? null : (Date.parse(then) - Date.parse(first)) / 1000;
}
