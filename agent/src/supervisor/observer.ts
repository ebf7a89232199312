import type { ObservedState } from "@mainstay/api";
import type { Images } from "../containers/images.ts";
import type { Fleet } from "./fleet.ts";
import { createResources } from "./resources.ts";
import { weightInForce } from "./routing.ts";
import type { Held } from "./serving.ts";
import type { Workers } from "./workers.ts";

interface ObserverParts {
  bootId: string;
  held: Held;
  fleet: Fleet;
  workers: Workers;
  images: Pick<Images, "pulls">;
  limits: ObservedState["limits"];
}

/** What the agent answers when it is asked how things stand. */
export function createObserver({
  bootId,
  held,
  fleet,
  workers,
  images,
  limits,
}: ObserverParts): () => ObservedState {
  const usageOf = createResources(() => performance.now());
  return () => ({
    bootId,
    generation: held.desired.generation,
    at: new Date().toISOString(),
    leaseExpired: held.leaseExpired,
    limits,
    instances: fleet.list().map((instance) => {
      const observed = instance.observe();
      const { memoryBytes = null, cpuSeconds = null } = (observed.pid && usageOf(observed.pid)) || {};
      const inflight = workers.inflight(instance.id);
      const streams = workers.streams(instance.id);
      return { ...observed, inflight, streams, memoryBytes, cpuSeconds };
    }),
    pulls: images.pulls(),
    services: held.desired.services.map((each) => ({
      service: each.service,
      environment: each.environment,
      weight: weightInForce(each, held.leaseExpired),
    })),
    proxies: workers.observe(),
  });
}
