import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { platformFile } from "@mainstay/api";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openTestDatabase } from "../../tests/support/database.ts";
import { makeFirstAdmin } from "../../tests/support/first-admin.ts";
import { silentLog } from "../../tests/support/log.ts";
import { createTestKeys } from "../../tests/support/vault.ts";
import { compose } from "./compose.ts";
import { createVirtualClock } from "./kernel/clock.ts";
import type { AnyRoute } from "./kernel/http/index.ts";

let folder = "";
let database: Awaited<ReturnType<typeof openTestDatabase>>;
let house: ReturnType<typeof compose>;
let authorization = "";

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "mainstay-hardening-"));
  database = await openTestDatabase();
  const config = { ...platformFile.parse({}), dataDirectory: folder };
  const clock = createVirtualClock(Date.parse("2026-11-01T12:00:00Z"));
  const keys = await createTestKeys(database.db);
  house = compose({ config, database, runtimeDirectory: folder, keys, env: {}, clock, log: silentLog });
  authorization = `Bearer ${await makeFirstAdmin(house)}`;
});
afterAll(async () => {
  await database.close();
  await rm(folder, { recursive: true, force: true });
});

type Asked = Parameters<typeof house.http.inject>[0];
const ask = (request: Asked) => house.http.inject(request);

/** Every header that has to be there, with what has to be in it. */
function mustBeHardened({ headers }: Awaited<ReturnType<typeof ask>>): void {
  expect(headers["content-security-policy"]).toMatch(/^default-src 'none'/);
  expect(headers["content-security-policy"]).toContain("frame-ancestors 'none'");
  expect(headers["content-security-policy"]).toContain("base-uri 'none'");
  expect(headers["content-security-policy"]).not.toMatch(/unsafe|\*|https?:|data:/);
  expect(headers["permissions-policy"]).toContain("camera=()");
  expect(headers).toMatchObject({
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
  });
  for (const name of ["server", "x-powered-by", "access-control-allow-origin"])
    expect(headers[name]).toBe(undefined);
  expect(headers["x-request-id"]).toMatch(/^req_[0-9a-f]{32}$/);
  expect(headers["content-type"]).toMatch(/json|text\/plain|text\/html|text\/css|javascript/);
}

function requestTo({ method, url }: AnyRoute): { method: AnyRoute["method"]; url: string; payload?: object } {
  const hasBody = method !== "GET" && method !== "DELETE" && method !== "HEAD";
  return { method, url: url.replace(/:\w+/g, "none_1"), ...(hasBody ? { payload: {} } : {}) };
}

describe("every answer", () => {
  it("carries the headers that tie a browser's hands, to strangers and to the admin", async () => {
    const routes = house.http
      .routes()
      .filter(({ stream, method }) => stream === undefined && method !== "HEAD");
    expect(routes.length).toBeGreaterThan(40);
    for (const route of routes) {
      mustBeHardened(await ask(requestTo(route)));
      mustBeHardened(await ask({ ...requestTo(route), headers: { authorization } }));
    }
  });

  it.each<[string, number, Asked]>([
    ["of an address that is not there", 404, { url: "/nothing" }],
    ["of an address that climbs", 404, { url: "/api/v1/..%2f..%2fetc/passwd" }],
    ["of a method that is not there", 404, { method: "PUT", url: "/healthz" }],
    ["without a key", 401, { url: "/api/v1/platform" }],
    ["with a bad escape", 400, { url: "/api/v1/changes/%zz" }],
    ["under a foreign name", 421, { url: "/healthz", headers: { host: "evil.example.com" } }],
  ])("%s is hardened too: %i", async (_name, status, request) => {
    const answer = await ask(request);
    expect(answer.statusCode).toBe(status);
    mustBeHardened(answer);
  });

  it("never repeats what was asked for as a page", async () => {
    const answer = await ask({ url: "/<script>alert(1)</script>" });
    expect(answer.headers["content-type"]).toContain("application/problem+json");
    mustBeHardened(answer);
  });
});

describe("a body", () => {
  const post = (payload: string, headers: Record<string, string> = {}) =>
    ask({
      method: "POST",
      url: "/api/v1/changes",
      headers: { authorization, "content-type": "application/json", ...headers },
      payload,
    });

  it.each([
    ["a prototype", '{"__proto__":{"isAdmin":true},"candidate":"rel_1"}', "is not valid JSON"],
    ["a prototype, escaped", '{"\\u005f_proto__":{"isAdmin":true}}', "is not valid JSON"],
    ["a constructor", '{"constructor":{"prototype":{"isAdmin":true}}}', "is not valid JSON"],
    ["half a document", '{"candidate":', "is not valid JSON"],
    ["nesting without end", `${'{"a":'.repeat(5000)}1${"}".repeat(5000)}`, "is nested too deep"],
    ["lists without end", "[".repeat(100_000), "is nested too deep"],
  ])("with %s is refused", async (_name, payload, message) => {
    const answer = await post(payload);
    expect(answer.statusCode).toBe(400);
    expect(answer.json().errors).toEqual([{ path: "body", message }]);
    expect(answer.body).not.toContain("isAdmin");
  });

  it("with fields that nobody asked for is refused", async () => {
    const answer = await post('{"candidate":"rel_1","isAdmin":true}');
    expect(answer.statusCode).toBe(400);
  });

  it("of another type is refused, so that no form of another page can send it", async () => {
    for (const type of ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"]) {
      const answer = await post('{"candidate":"rel_1"}', { "content-type": type });
      expect([type, answer.statusCode]).toEqual([type, 415]);
      mustBeHardened(answer);
    }
  });

  it("larger than server.bodyLimit is refused", async () => {
    const answer = await post(JSON.stringify({ reason: "x".repeat(1024 ** 2) }));
    expect(answer.statusCode).toBe(413);
    mustBeHardened(answer);
  });
});

describe("the id of a request", () => {
  it("is taken over where it is harmless, and replaced where it is not", async () => {
    const ids = ["abc-1.2:3_4", "a".repeat(129), "a b", "a\tb", "a'\"", "../x", "${jndi:ldap://x}", "é", ""];
    const [harmless, ...harmful] = ids;
    const idFor = async (id = "") =>
      (await ask({ url: "/healthz", headers: { "x-request-id": id } })).headers["x-request-id"];
    expect(await idFor(harmless)).toBe(harmless);
    for (const id of harmful) expect(await idFor(id)).toMatch(/^req_[0-9a-f]{32}$/);
  });
});
