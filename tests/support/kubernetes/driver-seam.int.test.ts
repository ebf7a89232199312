import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { platformFile } from "@mainstay/api";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { auditStream, createAudit } from "../../../server/src/core/audit/index.ts";
import { createChangesRoom, type ChangeKind } from "../../../server/src/core/changes/index.ts";
import {
  createReleaseKind,
  createSignatures,
  createServices,
  type ReleaseRow,
} from "../../../server/src/core/services/index.ts";
import type { Origin } from "../../../server/src/kernel/http/index.ts";
import { createUploads } from "../../../server/src/core/uploads/index.ts";
import { createVirtualClock, type VirtualClock } from "../../../server/src/kernel/clock.ts";
import { createEvents } from "../../../server/src/kernel/events/index.ts";
import { createIds } from "../../../server/src/kernel/ids.ts";
import { createMetrics } from "../../../server/src/kernel/metrics.ts";
import { openTestDatabase } from "../database.ts";
import { silentLog } from "../log.ts";
import { createTestSealer } from "../vault.ts";
import { NO_IMAGES } from "../no-images.ts";
import { startApiServer } from "./api-server.ts";
import { createClusterClient } from "./cluster-client.ts";
import { createClusterTraffic } from "./cluster-traffic.ts";
import { createControllers } from "./controllers.ts";
import { createRouteDriver, createWorkloadDriver } from "./kubernetes-drivers.ts";
import { nameOf } from "./manifests.ts";
import { createObjectStore } from "./object-store.ts";

const ANN: Origin = { actor: { type: "user", id: "usr_ann", name: "ann" }, requestId: null, address: null };
const NAMESPACE = "production";
const SERVICE_FILE = {
  service: "shop",
  processes: {
    web: {
      command: "node server.js",
      port: "auto",
      instances: 2,
      health: { path: "/healthz", deadline: "30m" },
    },
  },
  routes: [{ host: "shop.example.com" }],
  rollout: {
    stages: [
      { weight: "10%", bake: "2s" },
      { weight: "25%", bake: "2s" },
      { weight: "50%", bake: "2s" },
      { weight: "100%" },
    ],
    judge: { metrics: ["errors"] },
    keepWarm: "2s",
  },
};

let folder = "";
let clock: VirtualClock;
let database: Awaited<ReturnType<typeof openTestDatabase>>;
let cluster: Awaited<ReturnType<typeof startCluster>>;
let server: ReturnType<typeof createServer>;

/** A cluster that outlives the servers of a test. */
async function startCluster() {
  const store = createObjectStore(clock);
  const refused = new Map<string, string>();
  const faults = new Map<string, number>();
  const speed = { readyAfterMs: 2000, goneAfterMs: 1000, routedAfterMs: 500 };
  const controllers = createControllers({ store, clock, namespace: NAMESPACE, speed, refused });
  const traffic = createClusterTraffic({ clock, controllers, requestsPerSecond: 2000, faults });
  const api = await startApiServer(store);
  const weights: string[] = [];
  store.onEvent((key, { object }) => {
    if (!key.startsWith("httproutes/")) return;
    const shares = backendsIn(object.spec).map(({ weight }) => weight / 100);
    if (weights.at(-1) !== shares.join(":")) weights.push(shares.join(":"));
  });
  return {
    ...{ store, refused, faults, api, traffic, controllers, weights },
    deployments: () => store.list(`deployments/${NAMESPACE}/`).map(({ metadata }) => metadata.name),
    async close(): Promise<void> {
      traffic.stop();
      controllers.stop();
      await api.close();
    },
  };
}

function backendsIn(spec: unknown): { name: string; weight: number }[] {
  const { rules } = spec as { rules: { backendRefs: { name: string; weight: number }[] }[] };
  return rules.flatMap(({ backendRefs }) => backendRefs);
}

/** A server with nothing but what the database and the cluster hold, as after a restart. */
function createServer() {
  const { db } = database;
  const ids = createIds({ clock, random: randomBytes });
  const metrics = createMetrics({ clock, log: silentLog });
  const log = silentLog;
  const streams = [auditStream];
  const events = createEvents({ ...{ database, clock, ids, log, metrics, streams }, source: "test" });
  const audit = createAudit({ db, clock, ids });
  const limits = platformFile.parse({}).uploads;
  const uploads = createUploads({ db, clock, ids, dataDirectory: folder, limits });
  const signatures = createSignatures({ keys: [], required: false });
  const services = createServices({
    ...{
      db,
      clock,
      ids,
      audit,
      events,
      dataDirectory: folder,
      uploads,
      images: NO_IMAGES,
      limits,
      signatures,
      sealer: createTestSealer(),
    },
  });
  const client = createClusterClient({ url: cluster.api.url, namespace: NAMESPACE });
  const parts = { services, client, gateway: "public", imageOf };
  const drivers = [createRouteDriver(parts), createWorkloadDriver(parts)];
  const kind: ChangeKind = { ...createReleaseKind(services), drivers, signal: cluster.traffic.signal };
  const room = createChangesRoom({
    ...{ db, clock, ids, audit, events, log, kinds: [kind] },
    owner: "server-1",
    freeze: [],
    approvals: [],
    production: ["production"],
    holdsRole: async () => false,
    listen: database.listen,
  });
  return { ...room, services };
}

function imageOf({ digest }: ReleaseRow): string {
  return `registry.example.com/shop@${digest}`;
}

/** Registers a release with content of its own. */
async function register(content: string, file: object = SERVICE_FILE): Promise<ReleaseRow> {
  const source = path.join(folder, "source");
  await mkdir(source, { recursive: true });
  await writeFile(path.join(source, "mainstay.yaml"), JSON.stringify(file));
  await writeFile(path.join(source, "content"), content);
  return server.services.registerRelease({ directory: source, file: "mainstay.yaml" }, ANN);
}

async function request({ id }: ReleaseRow): Promise<string> {
  const wish = { kind: "release", candidate: id, immediate: false, reason: null };
  return (await server.changes.request(wish, ANN)).id;
}

/** Lets virtual time pass, in small steps, until something holds. */
async function until(what: string, holds: () => Promise<boolean> | boolean): Promise<void> {
  for (let step = 0; step < 5000; step++) {
    if (await holds()) return;
    await clock.advance(250);
  }
  throw new Error(`waited in vain for ${what}`);
}

async function untilState(id: string, state: string, stage?: number): Promise<void> {
  const row = () => server.changes.change(id);
  await until(`${state} ${stage ?? ""}`, async () => {
    const seen = await row();
    return seen.state === state && (stage === undefined || seen.stage === stage);
  }).catch(async (error: unknown) => {
    const { state: last, outcome } = await row();
    throw new Error(`the change is ${last} (${outcome ?? "no outcome"})`, { cause: error });
  });
}

async function deploy(release: ReleaseRow, state = "succeeded"): Promise<string> {
  const id = await request(release);
  await untilState(id, state);
  return id;
}

/** What the cluster holds once a release alone serves. */
function expectOnly(release: ReleaseRow): void {
  expect(cluster.deployments()).toEqual([nameOf(release)]);
  expect(backendsIn(cluster.store.get(`httproutes/${NAMESPACE}/shop`)?.spec)).toMatchObject([
    { name: nameOf(release), weight: 10_000 },
  ]);
  expect(cluster.store.list(`services/${NAMESPACE}/`)).toHaveLength(1);
  expect(cluster.store.list(`horizontalpodautoscalers/${NAMESPACE}/`)).toHaveLength(1);
}

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "mainstay-seam-"));
  clock = createVirtualClock(Date.parse("2026-11-01T12:00:00Z"));
  database = await openTestDatabase();
  cluster = await startCluster();
  server = createServer();
  await server.runner.start();
});
afterEach(async () => {
  await server.runner.stop();
  await cluster.close();
  await database.close();
  await rm(folder, { recursive: true, force: true });
});

describe("a release on a cluster, with no word about it in core", () => {
  it("is carried out by drivers that know nothing of the server but core's public face", async () => {
    const sources = ["kubernetes-drivers.ts", "cluster-client.ts", "manifests.ts", "cluster-traffic.ts"];
    const texts = await Promise.all(
      sources.map((each) => readFile(path.join(import.meta.dirname, each), "utf8")),
    );
    const imported = texts.flatMap((text) =>
      [...text.matchAll(/"[./]+\/server\/src\/([^"]+)"/g)].map(([, name]) => name),
    );
    expect(new Set(imported)).toEqual(
      new Set(["core/changes/index.ts", "core/services/index.ts", "kernel/clock.ts"]),
    );
  });

  it("goes through its stages by the weights of a route, and no request misses a pod", async () => {
    const [first, second] = [await register("1"), await register("2")];
    await deploy(first);
    expectOnly(first);
    const id = await deploy(second);
    expectOnly(second);
    expect(cluster.weights).toEqual(["100", "90:10", "75:25", "50:50", "0:100", "100"]);
    expect(cluster.traffic.totals).toMatchObject({ failed: 0, unanswered: 0 });
    expect(cluster.traffic.totals.requests).toBeGreaterThan(5000);
    expect(cluster.api.refusals.filter(({ code }) => code !== 404)).toEqual([]);
    const advanced = (await server.changes.timeline(id)).filter(({ by }) => by === "judge");
    expect(advanced).toHaveLength(3);
    const row = await server.services.service({ service: "shop", environment: "production" });
    expect(row).toMatchObject({ stable_release: second.id, candidate_release: null, weight: 0 });
  });

  it("is undone on evidence of harm: weights first, then its pods", async () => {
    const [first, second] = [await register("1"), await register("2")];
    await deploy(first);
    cluster.faults.set(nameOf(second), 0.2);
    const id = await deploy(second, "undone");
    expectOnly(first);
    expect(cluster.weights).toEqual(["100", "90:10", "100"]);
    expect(await server.changes.change(id)).toMatchObject({ evidence: { verdict: "harm" } });
    expect(await server.changes.replay(id)).toMatchObject({ isEqual: true });
    expect(cluster.traffic.totals.unanswered).toBe(0);
  });

  it("is undone when the cluster refuses its pods, in the cluster's words", async () => {
    const [first, second] = [await register("1"), await register("2")];
    await deploy(first);
    cluster.refused.set(nameOf(second), "exceeded quota: pods=2, used: pods=2, limited: pods=2");
    const id = await deploy(second, "undone");
    expect((await server.changes.change(id)).outcome).toMatch(/^exceeded quota/);
    expect(cluster.weights).toEqual(["100"]);
    expectOnly(first);
  });

  it("does not begin when the cluster would refuse an object, and says which field", async () => {
    const file = { ...SERVICE_FILE, routes: [{ host: "my_shop.example.com" }] };
    const id = await request(await register("1", file));
    await untilState(id, "undone");
    expect((await server.changes.change(id)).outcome).toMatch(
      /"shop" is invalid: spec\.hostnames\.0: must match/,
    );
    expect(cluster.deployments()).toEqual([]);
  });
});

describe("what goes wrong on the way", () => {
  it.each([["starting"], ["stepping"], ["draining"]] as const)(
    "a server that dies in %s is followed by one that finishes",
    async (state) => {
      const [first, second] = [await register("1"), await register("2")];
      await deploy(first);
      const id = await request(second);
      await untilState(id, state);
      await server.runner.stop();
      server = createServer();
      await server.runner.start();
      await untilState(id, "succeeded");
      expectOnly(second);
      expect(cluster.weights).toEqual(["100", "90:10", "75:25", "50:50", "0:100", "100"]);
      expect(cluster.traffic.totals).toMatchObject({ failed: 0, unanswered: 0 });
    },
  );

  it("an answer that is lost after the act makes nothing happen twice", async () => {
    const [first, second] = [await register("1"), await register("2")];
    await deploy(first);
    const id = await request(second);
    await untilState(id, "starting");
    cluster.api.faults.lostAnswers = 3;
    await untilState(id, "succeeded");
    expect(cluster.api.faults.lostAnswers).toBe(0);
    // Made at 100 %; then 10, 25, 50, 100 % and the end of the trial: as often as without the loss.
    expect(cluster.store.get(`httproutes/${NAMESPACE}/shop`)?.metadata.generation).toBe(6);
    expectOnly(second);
  });

  it("a cluster that is away delays the change and does not fail it", async () => {
    const [first, second] = [await register("1"), await register("2")];
    await deploy(first);
    const id = await request(second);
    await untilState(id, "stepping", 1);
    cluster.api.faults.isDown = true;
    await clock.advance(20_000);
    expect(await server.changes.change(id)).toMatchObject({ state: "stepping", finished_at: null });
    cluster.api.faults.isDown = false;
    await untilState(id, "succeeded");
    expectOnly(second);
  });

  it("what others write into the route stays", async () => {
    const [first, second] = [await register("1"), await register("2")];
    await deploy(first);
    const key = `httproutes/${NAMESPACE}/shop` as const;
    const route = cluster.store.get(key);
    if (!route) throw new Error("there is no route");
    const spec = { ...route.spec, hostnames: ["shop.example.com", "www.shop.example.com"] };
    cluster.store.write(key, { ...route, spec }, { manager: "kubectl" });
    await deploy(second);
    expect(cluster.store.get(key)?.spec?.["hostnames"]).toEqual(spec.hostnames);
    expectOnly(second);
  });
});
