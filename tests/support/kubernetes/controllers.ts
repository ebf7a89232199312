import { z } from "zod";
import type { Clock } from "../../../server/src/kernel/clock.ts";
import type { KubernetesObject } from "./objects.ts";
import type { Key, ObjectStore } from "./object-store.ts";

/** How often the controllers look. */
const LOOK_MS = 250;

const deployment = z.looseObject({ replicas: z.int().default(1) });
const autoscaler = z.looseObject({
  minReplicas: z.int().default(1),
  scaleTargetRef: z.object({ name: z.string() }).loose(),
});
const route = z.looseObject({
  parentRefs: z.array(z.looseObject({ name: z.string() })),
  rules: z.array(
    z.looseObject({
      backendRefs: z.array(z.looseObject({ name: z.string(), weight: z.int().default(1) })).default([]),
    }),
  ),
});

export interface ClusterSpeed {
  /** From the deployment to pods that are ready. */
  readyAfterMs: number;
  /** From the deletion to pods that are gone. */
  goneAfterMs: number;
  /** From a route's new weights to a gateway that keeps them. */
  routedAfterMs: number;
}

export interface Backend {
  name: string;
  weight: number;
}

/** What the controllers of a cluster do, by the clock: pods come up and go, a gateway takes weights over. */
export function createControllers(input: {
  store: ObjectStore;
  clock: Clock;
  namespace: string;
  speed: ClusterSpeed;
  /** Deployments whose pods the cluster refuses, by name, and why. */
  refused: Map<string, string>;
}) {
  const { store, clock, namespace, speed, refused } = input;
  /** Since when something is on its way, by object and what it is on its way to. */
  const since = new Map<string, number>();
  /** When which generation of a route was taken over. */
  const accepted = new Map<string, { generation: number; at: string }>();
  let routed: Backend[] = [];

  function isDue(what: string, delayMs: number): boolean {
    const nowMs = clock.monotonicMs();
    const startMs = since.get(what) ?? nowMs;
    since.set(what, startMs);
    return nowMs - startMs >= delayMs;
  }

  const keyOf = (plural: string, { metadata }: KubernetesObject): Key =>
    `${plural}/${namespace}/${metadata.name}`;

  function scale(): void {
    for (const each of store.list(`horizontalpodautoscalers/${namespace}/`)) {
      const { minReplicas, scaleTargetRef } = autoscaler.parse(each.spec);
      const key: Key = `deployments/${namespace}/${scaleTargetRef.name}`;
      const target = store.get(key);
      if (!target || deployment.parse(target.spec).replicas >= minReplicas) continue;
      const scaled = { ...target, spec: { ...target.spec, replicas: minReplicas } };
      store.write(key, scaled, { manager: "horizontal-pod-autoscaler" });
    }
  }

  function deploy(): void {
    for (const each of store.list(`deployments/${namespace}/`)) {
      const key = keyOf("deployments", each);
      const { uid = "", generation = 0, deletionTimestamp } = each.metadata;
      if (deletionTimestamp !== undefined) {
        if (isDue(`gone ${uid}`, speed.goneAfterMs)) store.remove(key);
        continue;
      }
      const { replicas } = deployment.parse(each.spec);
      const why = refused.get(each.metadata.name);
      const isReady = isDue(`ready ${uid} ${generation}`, speed.readyAfterMs) && why === undefined;
      const failure = { type: "ReplicaFailure", status: "True", reason: "FailedCreate", message: why };
      store.writeStatus(key, {
        observedGeneration: generation,
        replicas: why === undefined ? replicas : 0,
        readyReplicas: isReady ? replicas : 0,
        ...(why === undefined ? {} : { conditions: [failure] }),
      });
    }
  }

  function routeTraffic(): void {
    for (const each of store.list(`httproutes/${namespace}/`)) {
      const { uid = "", generation = 0 } = each.metadata;
      if (!isDue(`routed ${uid} ${generation}`, speed.routedAfterMs)) continue;
      const { parentRefs, rules } = route.parse(each.spec);
      routed = rules.flatMap(({ backendRefs }) => backendRefs);
      const earlier = accepted.get(uid);
      const at = earlier?.generation === generation ? earlier.at : clock.now().toISOString();
      accepted.set(uid, { generation, at });
      const condition = {
        ...{ type: "Accepted", status: "True", reason: "Accepted", message: "", lastTransitionTime: at },
        observedGeneration: generation,
      };
      const parent = { parentRef: parentRefs[0], controllerName: "double.example/gateway" };
      store.writeStatus(keyOf("httproutes", each), { parents: [{ ...parent, conditions: [condition] }] });
    }
  }

  /** Whether requests for a service would find a pod. */
  function hasPods(service: string): boolean {
    const selector = z
      .looseObject({ selector: z.record(z.string(), z.string()) })
      .safeParse(store.get(`services/${namespace}/${service}`)?.spec).data?.selector;
    if (!selector) return false;
    return store.list(`deployments/${namespace}/`).some(({ metadata, spec, status }) => {
      const labels = podLabels.parse(spec).template.metadata.labels;
      const isSelected = Object.entries(selector).every(([key, value]) => labels[key] === value);
      return isSelected && metadata.deletionTimestamp === undefined && Number(status?.["readyReplicas"]) > 0;
    });
  }

  const stop = clock.every(LOOK_MS, () => {
    scale();
    deploy();
    routeTraffic();
  });
  return {
    /** Where the gateway sends requests now, and whether anybody is there. */
    backends: () => routed.map((each) => ({ ...each, hasPods: hasPods(each.name) })),
    stop,
  };
}
export type Controllers = ReturnType<typeof createControllers>;

const podLabels = z.looseObject({
  template: z.looseObject({ metadata: z.looseObject({ labels: z.record(z.string(), z.string()) }) }),
});
