import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { platformFile } from "@mainstay/api";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openTestDatabase } from "../../tests/support/database.ts";
import { silentLog } from "../../tests/support/log.ts";
import { createTestKeys } from "../../tests/support/vault.ts";
import { compose } from "./compose.ts";
import { createVirtualClock } from "./kernel/clock.ts";
import { PUBLIC_URLS } from "./kernel/http/public-urls.ts";
import type { AnyRoute } from "./kernel/http/index.ts";

let folder = "";
let database: Awaited<ReturnType<typeof openTestDatabase>>;
let house: ReturnType<typeof compose>;
let key = "";

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "mainstay-house-"));
  database = await openTestDatabase();
  const config = { ...platformFile.parse({}), dataDirectory: folder };
  const clock = createVirtualClock(Date.parse("2026-11-01T12:00:00Z"));
  const keys = await createTestKeys(database.db);
  house = compose({ config, database, runtimeDirectory: folder, keys, env: {}, clock, log: silentLog });
  key = await setUp();
});
afterAll(async () => {
  await database.close();
  await rm(folder, { recursive: true, force: true });
});

/** The first administrator, and the key for programs that comes with a setup. */
async function setUp(): Promise<string> {
  const link = (await house.identity.accounts.ensureSetupLink()) ?? "";
  const person = { email: "ann@example.com", name: "Ann", password: "seven lamps under water" };
  const payload = { ...person, link: link.split("#")[1], wantsKey: true };
  const answer = await house.http.inject({ method: "POST", url: "/api/v1/links/redeem", payload });
  return answer.json<{ key: string }>().key;
}

/** A request to every route there is, with ids that do not exist. */
async function call(route: AnyRoute, authorization: string | null) {
  const url = route.url.replace(/:\w+/g, "none_1");
  const hasBody = route.method !== "GET" && route.method !== "DELETE";
  const answer = await house.http.inject({
    method: route.method,
    url,
    headers: authorization === null ? {} : { authorization },
    ...(hasBody ? { payload: {} } : {}),
  });
  return answer.statusCode;
}

describe("every route", () => {
  it("names the permission it needs; only the probes, and what lets people in, are public", () => {
    const routes = house.http.routes();
    expect(routes.length).toBeGreaterThan(20);
    const open = routes.filter((each) => each.permission === "public").map((each) => each.url);
    // The log over the audit is public where a setting says so.
    const usual = PUBLIC_URLS.filter((url) => !url.startsWith("/audit/log/"));
    expect(open.toSorted()).toEqual(usual.toSorted());
  });

  it.each(["without a key", "with a key that is none", "with a wrong key"])("refuses %s", async (name) => {
    const wrong = `${key.slice(0, -8)}${key.at(-8) === "A" ? "B" : "A"}${key.slice(-7)}`;
    const authorization = { "without a key": null, "with a key that is none": "Bearer x" }[name];
    for (const route of house.http.routes().filter((each) => each.permission !== "public")) {
      const status = await call(route, authorization === undefined ? `Bearer ${wrong}` : authorization);
      expect([route.method, route.url, status]).toEqual([route.method, route.url, 401]);
    }
  });

  it("lets the admin key in", async () => {
    for (const route of house.http.routes().filter((each) => each.permission !== "public")) {
      if (/\/(watch|logs|tail)$/.test(route.url)) continue;
      const status = await call(route, `Bearer ${key}`);
      expect([401, 403].includes(status), `${route.method} ${route.url} answered ${status}`).toBe(false);
      expect(status, `${route.method} ${route.url}`).not.toBe(500);
    }
  });
});
