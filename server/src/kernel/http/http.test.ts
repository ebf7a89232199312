import { AppError, ERRORS } from "@mainstay/api";
import type { InjectOptions } from "fastify";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { createTestHttp as build, KEY } from "../../../../tests/support/http.ts";
import { demandMatch, etagOf, reply, type Http } from "./index.ts";

function addItems(http: Http): void {
  http.route({
    method: "POST",
    url: "/api/v1/items/:id",
    permission: "releases.write",
    summary: "Make an item",
    params: z.object({ id: z.string().regex(/^i\d+$/, "expected an id such as i1") }),
    query: z.object({ dry: z.enum(["true", "false"]).default("false") }),
    body: z.strictObject({ name: z.string(), count: z.int().min(1) }),
    response: z.object({ id: z.string(), name: z.string(), dry: z.string(), by: z.string() }),
    statuses: [201],
    handler: ({ params, query, body, actor }) => ({
      id: params.id,
      name: body.name,
      dry: query.dry,
      by: actor.name,
      internal: "does not leave",
    }),
  });
}

async function ask(http: Http, request: InjectOptions) {
  const { statusCode: status, headers, payload } = await http.inject({ headers: KEY, ...request });
  const isJson = /json/.test(String(headers["content-type"]));
  return { status, headers, body: isJson && payload !== "" ? JSON.parse(payload) : payload };
}

const post = (payload: unknown, more: InjectOptions = {}): InjectOptions => ({
  method: "POST",
  url: "/api/v1/items/i1",
  payload: JSON.stringify(payload),
  ...more,
  headers: { ...KEY, "content-type": "application/json", ...more.headers },
});

describe("a route", () => {
  it("gets what its schemas understood, and answers what its schema names", async () => {
    const { http } = build();
    addItems(http);
    const { status, headers, body } = await ask(
      http,
      post({ name: "a", count: 1 }, { url: "/api/v1/items/i1?dry=true" }),
    );
    expect(status).toBe(201);
    expect(body).toEqual({ id: "i1", name: "a", dry: "true", by: "Ann" });
    expect(headers).toMatchObject({
      "content-type": "application/json; charset=utf-8",
      "cache-control": "no-store",
    });
  });

  it("may answer another status, headers of its own, or nothing", async () => {
    const { http } = build();
    http.route({
      method: "DELETE",
      url: "/api/v1/items/:id",
      permission: "releases.write",
      summary: "Remove",
      response: z.undefined(),
      statuses: [204, 202],
      handler: () => reply({ status: 202, headers: { etag: etagOf(3) }, body: undefined }),
    });
    const { status, headers, body } = await ask(http, { method: "DELETE", url: "/api/v1/items/i1" });
    expect([status, headers["etag"], body]).toEqual([202, '"3"', ""]);
  });

  it("whose body may be missing can be sent none", async () => {
    const { http } = build();
    http.route({
      method: "POST",
      url: "/api/v1/items/:id/pause",
      permission: "releases.write",
      summary: "Pause",
      body: z.strictObject({ reason: z.string().nullable().default(null) }).prefault({}),
      response: z.object({ reason: z.string().nullable() }),
      handler: ({ body }) => body,
    });
    const url = "/api/v1/items/i1/pause";
    expect((await ask(http, { method: "POST", url })).body).toEqual({ reason: null });
    const empty = { method: "POST" as const, url, headers: { ...KEY, "content-type": "application/json" } };
    expect((await ask(http, empty)).body).toEqual({ reason: null });
    expect((await ask(http, post({ reason: "x" }, { url }))).body).toEqual({ reason: "x" });
  });

  it("without a permission cannot be registered, and only probes are public", () => {
    const { http } = build();
    const facts = { method: "GET" as const, summary: "x", response: z.string(), handler: () => "x" };
    // @ts-expect-error the permission is missing
    expect(() => http.route({ ...facts, url: "/a" })).toThrow("GET /a needs a permission");
    expect(() => http.route({ ...facts, url: "/a", permission: "public" })).toThrow("needs a permission");
    // @ts-expect-error nobody has heard of this permission
    expect(() => http.route({ ...facts, url: "/a", permission: "items.admin" })).toThrow(
      "needs a permission",
    );
    const open = http.routes().filter(({ permission }) => permission === "public");
    expect(open.map(({ url }) => url)).toEqual(["/healthz", "/readyz"]);
  });

  it("is registered once, and before the start", async () => {
    const { http } = build();
    addItems(http);
    expect(() => addItems(http)).toThrow("is there already");
    await http.openapi();
    expect(() => addItems(http)).toThrow("comes after the start");
  });
});

describe("a refusal", () => {
  it("is a problem document with code, remedy and requestId", async () => {
    const { http } = build();
    const { status, headers, body } = await ask(http, { url: "/api/v1/nothing?token=hunter2" });
    expect(status).toBe(404);
    expect(headers["content-type"]).toBe("application/problem+json; charset=utf-8");
    expect(body).toEqual({
      type: "urn:mainstay:error:NOT_FOUND",
      title: "Not found",
      status: 404,
      detail: "GET /api/v1/nothing does not exist",
      code: "NOT_FOUND",
      remedy: ERRORS.NOT_FOUND.remedy,
      requestId: headers["x-request-id"],
    });
  });

  it("names every wrong field of path, query and body at once", async () => {
    const { http } = build();
    addItems(http);
    const { status, body } = await ask(
      http,
      post({ count: 0, nmae: "x" }, { url: "/api/v1/items/x?dry=maybe" }),
    );
    expect(status).toBe(400);
    expect(body).toMatchObject({
      code: "REQUEST_INVALID",
      errors: [
        { path: "params.id", message: "expected an id such as i1" },
        { path: "query.dry", message: 'expected "true" or "false"' },
        { path: "body.name", message: "is missing: expected text" },
        { path: "body.count", message: "expected at least 1" },
        { path: "body.nmae", message: 'unknown key; did you mean "name"?' },
      ],
    });
  });

  it.each([
    ["that is not JSON", '{"password": hunter2', "is not valid JSON"],
    ["that would alter prototypes", '{"__proto__": {}}', "is not valid JSON"],
    ["that is missing", "", "is missing: expected keys with values"],
  ])("of a body %s says so", async (_name, payload, message) => {
    const { http } = build();
    addItems(http);
    const answer = await ask(http, post({}, { payload }));
    expect([answer.status, answer.body.errors]).toEqual([400, [{ path: "body", message }]]);
  });

  it.each([
    ["a body that is too large", { payload: JSON.stringify("x".repeat(1_100)) }, 413, "REQUEST_TOO_LARGE"],
    ["a body of another type", { headers: { "content-type": "text/plain" } }, 415, "UNSUPPORTED_MEDIA_TYPE"],
    ["no key", { headers: { authorization: "" } }, 401, "UNAUTHENTICATED"],
    ["a key that may not", { headers: { authorization: "Bearer reader" } }, 403, "PERMISSION_DENIED"],
    ["a path part that is too long", { url: `/api/v1/items/${"i".repeat(201)}` }, 400, "REQUEST_INVALID"],
    ["a path that is no path", { url: "/api/%zz" }, 400, "REQUEST_INVALID"],
  ])("of %s has a code of its own", async (_name, more, status, code) => {
    const { http } = build();
    addItems(http);
    const answer = await ask(http, post({ name: "a", count: 1 }, more));
    expect([answer.status, answer.body.code]).toEqual([status, code]);
    expect(answer.headers["content-type"]).toBe("application/problem+json; charset=utf-8");
    expect(answer.headers["www-authenticate"]).toBe(status === 401 ? "Bearer" : undefined);
  });

  it("reads no body of somebody without a key", async () => {
    const { http } = build();
    addItems(http);
    const answer = await ask(http, post("x".repeat(5_000), { headers: { authorization: "" } }));
    expect(answer.status).toBe(401);
  });

  it("of an unexpected failure keeps its inside for the log, under the same id", async () => {
    const { http, log } = build();
    addItems(http);
    const { status, body, headers } = await ask(http, {
      url: "/metrics",
      headers: { authorization: "Bearer broken" },
    });
    expect([status, body.code]).toEqual([500, "INTERNAL"]);
    expect(JSON.stringify(body)).not.toContain("hunter2");
    const line = log.lines.find(({ message }) => message === "request failed");
    expect(line).toMatchObject({ level: "error", fields: { status: 500, code: "INTERNAL" } });
    expect(line?.fields["error"]).toMatchObject({ message: "the password is hunter2" });
    expect(headers["x-request-id"]).toBe(body.requestId);
  });

  it("of another server, thrown by a handler, is not passed off as ours", async () => {
    const { http } = build();
    http.route({
      method: "GET",
      url: "/api/v1/remote",
      permission: "releases.read",
      summary: "x",
      response: z.string(),
      handler: () => Promise.reject(Object.assign(new Error("not there"), { statusCode: 404 })),
    });
    expect((await ask(http, { url: "/api/v1/remote" })).body.code).toBe("INTERNAL");
  });

  it("of ours keeps its words, its status and its fields", async () => {
    const { http } = build();
    http.route({
      method: "GET",
      url: "/api/v1/locked",
      permission: "releases.read",
      summary: "x",
      response: z.string(),
      handler: () => {
        throw new AppError(
          "SECRET_MISSING",
          { names: "A", service: "shop", environment: "production" },
          { errors: [{ path: "A", message: "x" }] },
        );
      },
    });
    const { status, body } = await ask(http, { url: "/api/v1/locked" });
    expect([status, body.detail, body.errors]).toEqual([
      422,
      "the secrets A have no value for shop in production",
      [{ path: "A", message: "x" }],
    ]);
  });

  it("of an answer that breaks the route's own promise is our failure", async () => {
    const { http } = build();
    http.route({
      method: "GET",
      url: "/api/v1/odd",
      permission: "releases.read",
      summary: "x",
      response: z.object({ at: z.iso.datetime() }),
      handler: () => ({ at: "yesterday" }),
    });
    expect((await ask(http, { url: "/api/v1/odd" })).body.code).toBe("INTERNAL");
  });
});

describe("the request id", () => {
  it("is the client's where that is one, else ours", async () => {
    const { http } = build();
    const given = async (id: string) =>
      (await ask(http, { url: "/healthz", headers: { "x-request-id": id } })).headers["x-request-id"];
    expect(await given("trace-1.a:b")).toBe("trace-1.a:b");
    expect(await given("two words")).toMatch(/^req_[0-9a-f]{32}$/);
    expect(await given("x".repeat(129))).toMatch(/^req_/);
    expect(await given("")).toMatch(/^req_/);
  });
});

describe("the log and the metrics", () => {
  it("tell each request once, without its query", async () => {
    const { http, log, metrics } = build();
    addItems(http);
    await ask(http, post({ name: "a", count: 1 }, { url: "/api/v1/items/i1?dry=true" }));
    await ask(http, { url: "/nowhere" });
    expect(log.lines.filter(({ message }) => message === "request")).toMatchObject([
      { level: "info", fields: { method: "POST", path: "/api/v1/items/i1", status: 201, actor: "k1" } },
      { level: "info", fields: { path: "/nowhere", status: 404, code: "NOT_FOUND" } },
    ]);
    const text = await metrics.render();
    expect(text).toContain(
      'mainstay_http_requests_total{method="POST",route="/api/v1/items/:id",code="2xx"} 1',
    );
    expect(text).toContain('mainstay_http_requests_total{method="other",route="unknown",code="4xx"} 1');
    expect(text).toContain('mainstay_http_request_duration_seconds_count{route="/api/v1/items/:id"} 1');
    expect(text).toContain("mainstay_http_inflight_requests 0");
  });
});

describe("probes", () => {
  it("say alive without a key", async () => {
    const { http } = build();
    expect(await ask(http, { url: "/healthz", headers: {} })).toMatchObject({
      status: 200,
      body: { status: "ok" },
    });
  });

  it("say ready, or which part is not", async () => {
    const { http } = build();
    let isUp = true;
    http.addReadinessCheck("agent", () => {});
    http.addReadinessCheck("database", async () => {
      if (!isUp) throw new Error("postgres://u:hunter2@h refused");
    });
    const ready = await ask(http, { url: "/readyz", headers: {} });
    expect(ready).toMatchObject({ status: 200, body: { status: "ready" } });
    isUp = false;
    const failing = await ask(http, { url: "/readyz", headers: {} });
    expect(failing.status).toBe(503);
    expect(failing.body).toEqual({
      status: "not-ready",
      checks: [
        { name: "agent", ok: true },
        { name: "database", ok: false },
      ],
    });
  });

  it("give metrics to whoever may read them", async () => {
    const { http } = build();
    expect((await ask(http, { url: "/metrics", headers: {} })).status).toBe(401);
    const { headers, body } = await ask(http, { url: "/metrics" });
    expect(headers["content-type"]).toBe("text/plain; version=0.0.4; charset=utf-8");
    expect(body).toContain("# TYPE mainstay_http_inflight_requests gauge\n");
  });
});

describe("the API document", () => {
  it("describes every route with its permission, its schemas and its problems", async () => {
    const { http } = build();
    addItems(http);
    const { body } = await ask(http, { url: "/api/v1/openapi.json" });
    expect(body.openapi).toBe("3.1.0");
    expect(body.info).toMatchObject({ title: "Mainstay", version: "1.2.3" });
    const operation = body.paths["/api/v1/items/{id}"].post;
    expect(operation).toMatchObject({
      summary: "Make an item",
      tags: ["items"],
      "x-permission": "releases.write",
    });
    expect(operation.requestBody.content["application/json"].schema.required).toEqual(["name", "count"]);
    expect(operation.parameters.map((each: { name: string }) => each.name).toSorted()).toEqual(["dry", "id"]);
    expect(Object.keys(operation.responses).toSorted()).toEqual(["201", "default"]);
    expect(operation.responses.default.content["application/problem+json"]).toBeDefined();
    expect(body.paths["/healthz"].get.security).toEqual([]);
  });
});

describe("an edit", () => {
  it("names the version it is based on, and fails when that is not the present one", () => {
    expect(() => demandMatch({}, 3)).toThrow(expect.objectContaining({ code: "PRECONDITION_REQUIRED" }));
    expect(() => demandMatch({ "if-match": '"2"' }, 3)).toThrow(
      expect.objectContaining({ code: "PRECONDITION_FAILED" }),
    );
    expect(() => demandMatch({ "if-match": 'W/"3"' }, 3)).toThrow(
      expect.objectContaining({ code: "PRECONDITION_FAILED" }),
    );
    expect(() => demandMatch({ "if-match": '"2", "3"' }, 3)).not.toThrow();
    expect(() => demandMatch({ "if-match": "*" }, 3)).not.toThrow();
  });
});
