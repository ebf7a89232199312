import { formatShare, BUCKETS } from "@mainstay/api";
import type { ChangeView, Driver, Observation, Step } from "../../core/changes/index.ts";
import type { Services } from "../../core/services/index.ts";
import type { AgentLink } from "../instances/index.ts";

/** States in which the proxies have to confirm the weights before it goes on. */
const WEIGHING: readonly string[] = [
  "stepping",
  "verifying",
  "baking",
  "restoring-instances",
  "restoring-weights",
];

/** Shares the traffic between the arms of a service. */
export function createTrafficDriver({ services, link }: { services: Services; link: AgentLink }): Driver {
  function plan(change: ChangeView): Step[] {
    const weigh = change.plan.stages.map((stage, index): Step => ({
      driver: "traffic",
      act: "weigh",
      title: `give ${formatShare(stage.weight / BUCKETS)} of the traffic to ${change.candidate}`,
      state: "stepping",
      stage: index,
      undoneIn: index === 0 ? "restoring-weights" : null,
    }));
    const prove: Step = {
      driver: "traffic",
      act: "weigh",
      title: `hold 100% on ${change.candidate}, whatever happens to the server`,
      state: "baking",
      stage: null,
      undoneIn: null,
    };
    const giveBack: Step = {
      driver: "traffic",
      act: "weigh",
      title: `give the traffic to what is left of ${change.stable}, if it has to be undone`,
      state: "restoring-instances",
      stage: null,
      undoneIn: null,
    };
    const title = `make ${change.candidate} the stable release`;
    return [
      ...weigh,
      prove,
      ...(change.plan.stages.some((stage) => stage.instances) ? [giveBack] : []),
      { driver: "traffic", act: "settle", title, state: "draining", stage: null, undoneIn: null },
    ];
  }

  async function apply(change: ChangeView, step: Step): Promise<void> {
    const { id, candidate, weight, proven } = change;
    if (step.act === "settle") await services.settle(change, candidate);
    else await services.weigh(change, { change: id, candidate, weight, proven });
    await link.sync();
  }

  async function undo(change: ChangeView): Promise<void> {
    await services.settle(change, change.stable);
    await link.sync();
  }

  async function observe(change: ChangeView): Promise<Observation> {
    const { name } = change.position;
    if (!WEIGHING.includes(name)) return { waitingFor: null, failure: null };
    const isHere = (each: { service: string; environment: string }) =>
      each.service === change.service && each.environment === change.environment;
    const inForce = link.isCurrent() ? link.observed()?.services.find(isHere)?.weight : undefined;
    const isSet = inForce === change.weight;
    return { waitingFor: isSet ? null : "the proxy to confirm the weights", failure: null };
  }

  return { name: "traffic", plan, check: async () => [], apply, undo, observe, onNews: link.onNews };
}
