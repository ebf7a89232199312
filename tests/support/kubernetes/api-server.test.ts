import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { createVirtualClock } from "../../../server/src/kernel/clock.ts";
import { startApiServer } from "./api-server.ts";
import { createObjectStore } from "./object-store.ts";

const DEPLOYMENTS = "/apis/apps/v1/namespaces/test/deployments";
const ROUTES = "/apis/gateway.networking.k8s.io/v1/namespaces/test/httproutes";
const SERVICES = "/api/v1/namespaces/test/services";
const AUTOSCALERS = "/apis/autoscaling/v2/namespaces/test/horizontalpodautoscalers";
const APPLY = "application/apply-patch+yaml";
const MERGE = "application/merge-patch+json";

const labels = { app: "shop" };
const deployment = {
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "shop", labels },
  spec: {
    selector: { matchLabels: labels },
    template: { metadata: { labels }, spec: { containers: [{ name: "web", image: "shop:1" }] } },
  },
};
const route = {
  apiVersion: "gateway.networking.k8s.io/v1",
  kind: "HTTPRoute",
  metadata: { name: "shop" },
  spec: { rules: [{ backendRefs: [{ name: "shop", port: 80, weight: 1 }] }] },
};

/** An object or a refusal, as far as the tests look at it. */
const answered = z.looseObject({
  metadata: z.looseObject({}),
  spec: z.looseObject({}).default({}),
  message: z.string().optional(),
});

let store: ReturnType<typeof createObjectStore>;
let server: Awaited<ReturnType<typeof startApiServer>>;
beforeEach(async () => {
  store = createObjectStore(createVirtualClock());
  server = await startApiServer(store);
});
afterEach(() => server.close());

async function call(method: string, path: string, body?: unknown, type = "application/json") {
  const response = await fetch(server.url + path, {
    method,
    headers: { "content-type": type },
    body: body === undefined ? null : JSON.stringify(body),
  });
  return { code: response.status, answer: answered.parse(await response.json()) };
}

describe("objects that break a published schema", () => {
  it.each([
    [
      "a deployment whose replicas are text",
      DEPLOYMENTS,
      edit(deployment, { replicas: "two" }),
      "spec.replicas",
    ],
    ["a deployment without a selector", DEPLOYMENTS, edit(deployment, { selector: undefined }), "spec"],
    ["a weight in words", ROUTES, withWeight("ten"), "spec.rules.0.backendRefs.0.weight"],
    ["a negative weight", ROUTES, withWeight(-1), "spec.rules.0.backendRefs.0.weight"],
    [
      "a service whose port is no number",
      SERVICES,
      { apiVersion: "v1", kind: "Service", metadata: { name: "shop" }, spec: { ports: [{ port: "http" }] } },
      "spec.ports.0.port",
    ],
    [
      "an autoscaler without a target",
      AUTOSCALERS,
      {
        apiVersion: "autoscaling/v2",
        kind: "HorizontalPodAutoscaler",
        metadata: { name: "shop" },
        spec: { maxReplicas: 3 },
      },
      "spec",
    ],
  ])("are refused with 422 and the field: %s", async (_what, path, object, field) => {
    const { code, answer } = await call("POST", path, object);
    expect({ code, answer }).toMatchObject({
      code: 422,
      answer: { kind: "Status", status: "Failure", reason: "Invalid", details: { causes: [{ field }] } },
    });
    expect(store.list("")).toEqual([]);
  });

  it("are refused in a dry run as well, which keeps nothing of a good one either", async () => {
    expect((await call("POST", `${ROUTES}?dryRun=All`, withWeight("ten"))).code).toBe(422);
    expect((await call("POST", `${ROUTES}?dryRun=All`, route)).code).toBe(201);
    expect(store.list("")).toEqual([]);
  });
});

describe("what the server checks beyond the schema", () => {
  it("refuses a selector that does not find the template's pods, or that changes", async () => {
    const stranger = edit(deployment, { selector: { matchLabels: { app: "other" } } });
    expect((await call("POST", DEPLOYMENTS, stranger)).answer.message).toContain("does not match template");
    await call("POST", DEPLOYMENTS, deployment);
    const other = { app: "other" };
    const template = { ...deployment.spec.template, metadata: { labels: other } };
    const moved = edit(deployment, { selector: { matchLabels: other }, template });
    expect((await call("PUT", `${DEPLOYMENTS}/shop`, moved)).answer.message).toContain("field is immutable");
  });

  it("refuses what is there already, what is not there, and what its path does not name", async () => {
    await call("POST", ROUTES, route);
    expect((await call("POST", ROUTES, route)).answer).toMatchObject({ code: 409, reason: "AlreadyExists" });
    expect((await call("GET", `${ROUTES}/other`)).answer).toMatchObject({ code: 404, reason: "NotFound" });
    expect((await call("POST", DEPLOYMENTS, route)).code).toBe(400);
    expect((await call("GET", "/apis/batch/v1/namespaces/test/jobs")).code).toBe(404);
  });
});

describe("versions", () => {
  it("refuse a write that is based on an older one, by replacing and by merging", async () => {
    const { answer: first } = await call("POST", ROUTES, route);
    const { answer: second } = await call("PUT", `${ROUTES}/shop`, { ...first, spec: withWeight(5).spec });
    expect([first.metadata["generation"], second.metadata["generation"]]).toEqual([1, 2]);
    const stale = await call("PUT", `${ROUTES}/shop`, { ...first, spec: withWeight(7).spec });
    expect(stale.answer).toMatchObject({ code: 409, reason: "Conflict" });
    const patch = {
      metadata: { resourceVersion: first.metadata["resourceVersion"] },
      spec: withWeight(7).spec,
    };
    expect((await call("PATCH", `${ROUTES}/shop`, patch, MERGE)).code).toBe(409);
  });

  it("stay where nothing is altered, and a client's status is not taken", async () => {
    const { answer: made } = await call("POST", ROUTES, route);
    const { answer: again } = await call("PUT", `${ROUTES}/shop`, made);
    expect(again.metadata).toEqual(made.metadata);
    const { answer } = await call("PATCH", `${ROUTES}/shop`, { status: { parents: [] } }, MERGE);
    expect(answer["status"]).toBeUndefined();
  });
});

describe("server-side apply", () => {
  const path = (manager: string, more = "") => `${DEPLOYMENTS}/shop?fieldManager=${manager}${more}`;

  it("makes what is missing, does nothing the second time, and takes away what is left out", async () => {
    const paused = edit(deployment, { paused: true });
    const { answer: made } = await call("PATCH", path("one"), paused, APPLY);
    const { answer: again } = await call("PATCH", path("one"), paused, APPLY);
    expect(again.metadata["resourceVersion"]).toBe(made.metadata["resourceVersion"]);
    const { answer: without } = await call("PATCH", path("one"), deployment, APPLY);
    expect(without.spec["paused"]).toBeUndefined();
  });

  it("leaves others their fields, and says whose a field is that both want", async () => {
    await call("PATCH", path("one"), deployment, APPLY);
    await call("PATCH", path("scaler"), { spec: { replicas: 4 } }, MERGE);
    expect((await call("PATCH", path("one"), deployment, APPLY)).answer.spec["replicas"]).toBe(4);
    const two = edit(deployment, { replicas: 2 });
    const refused = await call("PATCH", path("one"), two, APPLY);
    expect(refused.answer).toMatchObject({
      code: 409,
      details: { causes: [{ reason: "FieldManagerConflict", message: 'conflict with "scaler"' }] },
    });
    expect((await call("PATCH", path("one", "&force=true"), two, APPLY)).answer.spec["replicas"]).toBe(2);
  });
});

describe("a foreground deletion", () => {
  it("marks the object and leaves it until a controller has removed its pods", async () => {
    await call("POST", DEPLOYMENTS, deployment);
    await call("DELETE", `${DEPLOYMENTS}/shop?propagationPolicy=Foreground`);
    const { answer } = await call("GET", `${DEPLOYMENTS}/shop`);
    expect(answer.metadata["deletionTimestamp"]).toBeDefined();
    store.remove("deployments/test/shop");
    expect((await call("GET", `${DEPLOYMENTS}/shop`)).code).toBe(404);
  });
});

function edit(object: typeof deployment, spec: object) {
  return { ...object, spec: { ...object.spec, ...spec } };
}

function withWeight(weight: unknown) {
  return { ...route, spec: { rules: [{ backendRefs: [{ name: "shop", port: 80, weight }] }] } };
}
