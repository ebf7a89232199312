import { isTask, type ObservedInstance } from "@mainstay/api";
import type { ChangeView, Driver, Observation, Step } from "../../core/changes/index.ts";
import { countsOf, type ReleaseRow, type Services } from "../../core/services/index.ts";
import type { AgentLink } from "./agent-link.ts";
import { crash, hasPassedGate, missing } from "./instance-findings.ts";

export interface ScaleDriverDependencies {
  services: Services;
  link: AgentLink;
}

/** Adds instances to what serves, or drains and stops some of them; those that stay never notice. */
export function createScaleDriver({ services, link }: ScaleDriverDependencies): Driver {
  const { roster } = services;

  function plan({ candidate, stable }: ChangeView): Step[] {
    const step = (about: Pick<Step, "act" | "title" | "state" | "undoneIn">): Step => ({
      driver: "scale",
      stage: null,
      ...about,
    });
    const grow = `start what is missing to ${candidate} (now ${stable})`;
    const shrink = `drain and stop what is more than ${candidate}`;
    return [
      step({ act: "grow", title: grow, state: "starting", undoneIn: "draining-candidate" }),
      step({ act: "shrink", title: shrink, state: "draining", undoneIn: null }),
    ];
  }

  /** Numbers before and after, by process. */
  function differences(change: ChangeView) {
    const before = countsOf(change.stable ?? "");
    return Object.entries(countsOf(change.candidate)).map(([process, after]) => {
      return { process, after, before: before[process] ?? 0 };
    });
  }

  async function resize(release: ReleaseRow, counts: { process: string; count: number }[]): Promise<void> {
    for (const { process, count } of counts) await roster.resize(release, process, count);
    await link.sync();
  }

  async function apply(change: ChangeView, step: Step): Promise<void> {
    const release = await services.settings.mustServe(change);
    const all = differences(change);
    if (step.act === "grow") {
      const growing = all.filter(({ before, after }) => after > before);
      return resize(
        release,
        growing.map(({ process, after }) => ({ process, count: after })),
      );
    }
    const { scale } = await services.service(change);
    await services.setScale(change, { ...scale, ...countsOf(change.candidate) });
    await resize(
      release,
      all.map(({ process, after }) => ({ process, count: after })),
    );
  }

  async function undo(change: ChangeView): Promise<void> {
    const release = await services.settings.mustServe(change);
    await resize(
      release,
      differences(change).map(({ process, before }) => ({ process, count: before })),
    );
  }

  async function observe(change: ChangeView): Promise<Observation> {
    const observed = link.observed();
    if (!observed || !link.isCurrent()) return { waitingFor: "the agent", failure: null };
    const release = await services.settings.mustServe(change);
    const names = differences(change).map(({ process }) => process);
    const wanted = (await roster.of(release.id)).filter(({ process }) => names.includes(process));
    const seen = observed.instances.filter(
      (each) => each.release === release.id && names.includes(each.process) && !isTask(each.process),
    );
    const added = seen.filter((each) =>
      isAdded(
        change,
        wanted.find(({ id }) => id === each.id),
      ),
    );
    const { name } = change.position;
    if (name === "starting" || name === "gating") {
      const isDone = name === "gating" ? hasPassedGate : (each: ObservedInstance) => each.pid !== null;
      const what = name === "gating" ? "its health gate" : "its process";
      const rows = wanted.filter((each) => isAdded(change, each));
      return { waitingFor: missing(rows, seen, { isDone, what }), failure: crash(added) };
    }
    const surplus = seen.filter((each) => !wanted.some(({ id }) => id === each.id));
    const isLeaving = name === "draining" || name === "draining-candidate";
    const waitingFor =
      isLeaving && surplus.length > 0 ? `${surplus.length} instances to drain and stop` : null;
    return { waitingFor, failure: null };
  }

  /** What was there before is not this change's to judge. */
  function isAdded(change: ChangeView, row: { process: string; ordinal: number } | undefined): boolean {
    const difference = differences(change).find(({ process }) => process === row?.process);
    return row !== undefined && difference !== undefined && row.ordinal >= difference.before;
  }

  return { name: "scale", plan, check: async () => [], apply, undo, observe, onNews: link.onNews };
}
