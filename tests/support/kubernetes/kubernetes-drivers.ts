import { AppError } from "@mainstay/api";
import { z } from "zod";
import {
  findingOf,
  type ChangeView,
  type Driver,
  type Finding,
  type Observation,
  type Step,
} from "../../../server/src/core/changes/index.ts";
import type { ReleaseRow, Services } from "../../../server/src/core/services/index.ts";
import type { ClusterClient } from "./cluster-client.ts";
import { backendsOf, manifestsOf, nameOf, routeOf, type Share } from "./manifests.ts";
import type { KubernetesObject } from "./objects.ts";

const ALL = 10_000;
const NOTHING: Observation = { waitingFor: null, failure: null };

export interface KubernetesDriversDependencies {
  /** What releases are and which one serves: the same room that the agent's drivers use. */
  services: Pick<Services, "release" | "weigh" | "settle">;
  client: ClusterClient;
  gateway: string;
  imageOf(release: ReleaseRow): string;
}

const workload = z.looseObject({
  metadata: z.looseObject({ generation: z.int() }),
  status: z
    .looseObject({
      observedGeneration: z.int().default(0),
      replicas: z.int().default(0),
      readyReplicas: z.int().default(0),
      conditions: z
        .array(z.looseObject({ type: z.string(), status: z.string(), message: z.string().optional() }))
        .default([]),
    })
    .default({ observedGeneration: 0, replicas: 0, readyReplicas: 0, conditions: [] }),
});

/** Deployments, their services and autoscalers: started, gated, drained and removed. */
export function createWorkloadDriver({ services, client, imageOf }: KubernetesDriversDependencies): Driver {
  const names = new Map<string, string>();

  function plan({ candidate, stable }: ChangeView): Step[] {
    const step = (about: Pick<Step, "act" | "title" | "state" | "undoneIn">): Step => ({
      driver: "kubernetes-workloads",
      stage: null,
      ...about,
    });
    const title = `create the deployment of ${candidate}`;
    const start = step({ act: "start", title, state: "starting", undoneIn: "draining-candidate" });
    if (stable === null) return [start];
    const retired = `drain and delete the deployment of ${stable}`;
    return [start, step({ act: "retire", title: retired, state: "draining", undoneIn: null })];
  }

  /** The cluster itself says what it would refuse: all of it is sent, and none of it kept. */
  async function check(change: ChangeView): Promise<Finding[]> {
    const all = await manifests(change.candidate);
    return findingsOf(all.map((each) => () => client.apply(each, { isDryRun: true })));
  }

  async function manifests(id: string) {
    const release = await services.release(id);
    return manifestsOf(release, imageOf(release));
  }

  async function apply({ candidate, stable }: ChangeView, { act }: Step): Promise<void> {
    if (act === "retire" && stable !== null) return remove(stable);
    for (const manifest of await manifests(candidate)) await client.apply(manifest);
  }

  async function remove(id: string): Promise<void> {
    for (const { kind, metadata } of (await manifests(id)).toReversed())
      await client.remove(kind, metadata.name);
  }

  async function deploymentOf(id: string): Promise<KubernetesObject | null> {
    const name = names.get(id) ?? nameOf(await services.release(id));
    names.set(id, name);
    return client.get("Deployment", name);
  }

  async function observe({ candidate, stable, position }: ChangeView): Promise<Observation> {
    switch (position.pausedFrom ?? position.name) {
      case "starting":
      case "gating":
      case "stepping":
      case "baking":
        return readiness(await deploymentOf(candidate));
      case "draining":
        return stable === null ? NOTHING : absence(await deploymentOf(stable));
      case "draining-candidate":
        return absence(await deploymentOf(candidate));
      default:
        return NOTHING;
    }
  }

  return {
    ...{ name: "kubernetes-workloads", plan, check, apply, observe },
    undo: ({ candidate }) => remove(candidate),
    onNews: (listener) => follow(client, "Deployment", listener),
  };
}

/** What the cluster refuses of these; that it is away speaks against nothing. */
async function findingsOf(attempts: (() => Promise<void>)[]): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const attempt of attempts) {
    await attempt().catch((error: unknown) => {
      if (!(error instanceof AppError) || error.status === 503) throw error;
      findings.push({ ...findingOf(error), remedy: "Correct the service file." });
    });
  }
  return findings;
}

/** A status says something about the generation that it names, and nothing about a newer one. */
function readiness(object: KubernetesObject | null): Observation {
  if (object === null) return { waitingFor: "the deployment", failure: null };
  const { metadata, status } = workload.parse(object);
  const broken = status.conditions.find(({ type, status: is }) => type === "ReplicaFailure" && is === "True");
  if (broken) return { waitingFor: null, failure: broken.message ?? "the cluster refuses its pods" };
  const isCurrent = status.observedGeneration >= metadata.generation;
  const isReady = isCurrent && status.replicas > 0 && status.readyReplicas === status.replicas;
  const waitingFor = isReady ? null : `${status.readyReplicas} of ${status.replicas} pods are ready`;
  return { waitingFor, failure: null };
}

function absence(object: KubernetesObject | null): Observation {
  return { waitingFor: object === null ? null : "pods to drain and stop", failure: null };
}

const route = z.looseObject({
  metadata: z.looseObject({ generation: z.int() }),
  spec: z.looseObject({
    rules: z.array(
      z.looseObject({
        backendRefs: z.array(z.looseObject({ name: z.string(), weight: z.int() })).default([]),
      }),
    ),
  }),
  status: z
    .looseObject({
      parents: z.array(
        z.looseObject({ conditions: z.array(z.looseObject({ observedGeneration: z.int() })) }),
      ),
    })
    .default({ parents: [] }),
});

/** Shares the requests between the arms by the weights of a Gateway API route. */
export function createRouteDriver({ services, client, gateway }: KubernetesDriversDependencies): Driver {
  function plan(change: ChangeView): Step[] {
    const step = (about: Pick<Step, "act" | "title" | "state" | "stage" | "undoneIn">): Step => ({
      driver: "kubernetes-routes",
      ...about,
    });
    const weigh = change.plan.stages.map(({ weight }, stage) =>
      step({
        act: "weigh",
        title: `give ${weight / 100}% of the requests to ${change.candidate}`,
        ...{ state: "stepping", stage, undoneIn: stage === 0 ? "restoring-weights" : null },
      }),
    );
    const title = `make ${change.candidate} the stable release`;
    return [...weigh, step({ act: "settle", title, state: "draining", stage: null, undoneIn: null })];
  }

  async function sharesOf({ candidate, stable, weight, position }: ChangeView): Promise<Share[]> {
    const next = nameOf(await services.release(candidate));
    if (stable === null || position.name === "draining") return [{ name: next, weight: ALL }];
    const old = nameOf(await services.release(stable));
    const shares = [{ name: old, weight: ALL - weight }];
    return weight === 0 ? shares : [...shares, { name: next, weight }];
  }

  async function share(change: ChangeView, shares: Share[]): Promise<void> {
    const release = await services.release(change.candidate);
    await client.alter({ kind: "HTTPRoute", name: change.service }, (before) => {
      if (before === null) return routeOf(release, gateway, shares);
      const { rules } = route.parse(before).spec;
      const shared = rules.map((rule) => ({ ...rule, backendRefs: backendsOf(shares) }));
      return { ...before, spec: { ...before.spec, rules: shared } };
    });
  }

  async function check({ candidate, service }: ChangeView): Promise<Finding[]> {
    const release = await services.release(candidate);
    const wanted = routeOf(release, gateway, [{ name: nameOf(release), weight: ALL }]);
    const rule = (before: KubernetesObject | null) => (before === null ? wanted : { ...before, ...wanted });
    return findingsOf([() => client.alter({ kind: "HTTPRoute", name: service }, rule, { isDryRun: true })]);
  }

  async function apply(change: ChangeView, { act }: Step): Promise<void> {
    const { id, candidate, weight, proven } = change;
    if (act === "settle") await services.settle(change, candidate);
    else await services.weigh(change, { change: id, candidate, weight, proven });
    await share(change, await sharesOf(change));
  }

  async function undo(change: ChangeView): Promise<void> {
    await services.settle(change, change.stable);
    if (change.stable === null) await client.remove("HTTPRoute", change.service);
    else await share(change, await sharesOf(change));
  }

  async function observe(change: ChangeView): Promise<Observation> {
    const { name } = change.position;
    if (name === "restoring-weights" && change.stable === null) return NOTHING;
    if (name !== "stepping" && name !== "draining" && name !== "restoring-weights") return NOTHING;
    const object = await client.get("HTTPRoute", change.service);
    if (object === null) return { waitingFor: "the route", failure: null };
    const { metadata, spec, status } = route.parse(object);
    const wanted = await sharesOf(change);
    const isWritten = spec.rules.every(({ backendRefs }) => isSame(backendRefs, wanted));
    const conditions = status.parents.flatMap((each) => each.conditions);
    const isAccepted =
      conditions.length > 0 && conditions.every((each) => each.observedGeneration >= metadata.generation);
    const waitingFor = isWritten && isAccepted ? null : "the gateway to take the weights over";
    return { waitingFor, failure: null };
  }

  return {
    ...{ name: "kubernetes-routes", plan, check, apply, undo, observe },
    onNews: (listener) => follow(client, "HTTPRoute", listener),
  };
}

function isSame(seen: Share[], wanted: Share[]): boolean {
  return (
    seen.length === wanted.length &&
    wanted.every(({ name, weight }, index) => seen[index]?.name === name && seen[index]?.weight === weight)
  );
}

/** A watch that broke off is missed by nobody for long: core looks once a second as well. */
function follow(client: ClusterClient, kind: string, listener: () => void): () => void {
  const stopping = new AbortController();
  client.watch(kind, listener, stopping.signal).catch(() => undefined);
  return () => stopping.abort();
}
