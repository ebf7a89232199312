import { stat } from "node:fs/promises";
import path from "node:path";
import type { EnteredResource, IdentityConfig, LoginResource } from "@mainstay/api";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openIdentityHouse, PASSWORD, type IdentityHouse } from "../../../../../tests/support/identity-house.ts";

let house: IdentityHouse;
beforeEach(async () => {
  house = await openIdentityHouse();
});
afterEach(() => house.close());

describe("the first start", () => {
  it("makes one link, for the eyes of the server's account alone, and none once somebody is there", async () => {
    const { accounts } = house.identity;
    const link = await accounts.ensureSetupLink();
    expect(link).toMatch(/^http:\/\/localhost:7700\/setup#ml_[\w-]{43}$/);
    expect(await accounts.ensureSetupLink()).toBe(null);
    const file = path.join(house.dataDirectory, "keys/setup.link");
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const admin = await house.redeem(link ?? "", { email: "ann@example.com", name: "Ann" });
    expect(admin).toMatchObject({ state: "authenticated", user: { email: "ann@example.com", state: "active" } });
    await expect(stat(file)).rejects.toThrow();
    expect(await accounts.ensureSetupLink()).toBe(null);
  });

  it("is over after one use, and its link after its time", async () => {
    const link = (await house.identity.accounts.ensureSetupLink()) ?? "";
    const both = await Promise.all([
      house.redeem(link, { email: "ann@example.com", name: "Ann" }),
      house.redeem(link, { email: "eve@example.com", name: "Eve" }),
    ]);
    expect(both.filter((each) => each.state === "authenticated")).toHaveLength(1);
    expect(both.find((each) => each.state !== "authenticated")).toMatchObject({ code: "LINK_INVALID" });
  });

  it("makes a new link when the one before was not used in time", async () => {
    const first = (await house.identity.accounts.ensureSetupLink()) ?? "";
    await house.clock.advance(72 * 3_600_000);
    expect(await house.redeem(first, { email: "a@b", name: "A" })).toMatchObject({ code: "LINK_INVALID" });
    const second = await house.identity.accounts.ensureSetupLink();
    expect(second).not.toBe(null);
    expect(second).not.toBe(first);
  });

  it("gives programs a key that may do everything, if it is asked for", async () => {
    const { key } = await house.setUp();
    expect(key).toMatch(/^mk_/);
    expect((await house.ask("GET", "/api/v1/users", { token: key })).status).toBe(200);
  });

  it("is a page that needs nothing but this server", async () => {
    const page = await house.ask("GET", "/setup");
    expect(page.headers["content-security-policy"]).toContain("default-src 'none'");
    expect(String(page.body)).not.toMatch(/https?:\/\/|<script>|style=|onclick/);
    for (const file of ["/setup.js", "/setup.css"]) expect((await house.ask("GET", file)).status).toBe(200);
  });
});

describe("a login", () => {
  it("opens a session that the API knows, and is audited", async () => {
    await house.setUp();
    const { status, body } = await house.login("ANN@example.com");
    const entered = body as EnteredResource;
    expect(status).toBe(200);
    const account = await house.ask("GET", "/api/v1/account", { token: entered.token });
    expect(account.body).toMatchObject({ user: { name: "Ann" }, session: { id: entered.session.id, isCurrent: true } });
    const [entry] = await house.entries("identity.logged_in");
    expect(entry).toMatchObject({
      actor: { type: "user", name: "Ann" },
      resource: { type: "session", id: entered.session.id },
      after: { methods: ["password"], decision: expect.any(String) },
    });
    expect(JSON.stringify(await house.entries())).not.toContain(PASSWORD);
  });

  it("says the same, with the same work, for a wrong password and for somebody who is not here", async () => {
    await house.setUp();
    const wrong = await house.login("ann@example.com", { password: "another one entirely" });
    const nobody = await house.login("nobody@example.com");
    const strip = ({ requestId: _, ...rest }: Record<string, unknown>) => rest;
    expect(wrong.status).toBe(401);
    expect(strip(nobody.body as Record<string, unknown>)).toEqual(strip(wrong.body as Record<string, unknown>));
    expect(nobody.headers["ratelimit-policy"]).toBe(wrong.headers["ratelimit-policy"]);
  });

  it("keeps its token out of the database", async () => {
    const { token } = await house.setUp();
    const { rows } = await house.database.pool.query("select row_to_json(s)::text as text from identity.sessions s");
    expect(rows[0].text).not.toContain(String(token).slice(3));
  });

  it("puts the tokens of a browser into cookies that scripts cannot read", async () => {
    await house.setUp();
    const { body, cookies } = await house.login("ann@example.com", { transport: "cookie" });
    expect(body).toMatchObject({ token: null, device: null });
    for (const name of ["mainstay_session", "mainstay_device"]) {
      const cookie = cookies.find((each) => each.name === name);
      expect(cookie).toMatchObject({ httpOnly: true, sameSite: "Strict", path: "/" });
    }
  });

  it("is let in neither while invited nor once disabled, and what was open is closed at once", async () => {
    const admin = await house.setUp();
    const bob = await house.join(admin, "deployer");
    const at = `/api/v1/users/${bob.user.id}`;
    expect((await house.ask("GET", "/api/v1/account", { token: bob.token })).status).toBe(200);
    expect((await house.ask("POST", `${at}/disable`, { token: admin.token })).status).toBe(200);
    expect((await house.ask("GET", "/api/v1/account", { token: bob.token })).status).toBe(401);
    expect((await house.login("bob@example.com")).status).toBe(401);
    expect((await house.ask("POST", `${at}/enable`, { token: admin.token })).status).toBe(200);
    expect((await house.login("bob@example.com")).status).toBe(200);
  });

  it("lets nobody disable or remove the last administrator", async () => {
    const admin = await house.setUp();
    const at = `/api/v1/users/${admin.user.id}`;
    expect(await house.ask("POST", `${at}/disable`, { token: admin.key })).toMatchObject({ body: { code: "LAST_ADMIN" } });
    expect(await house.ask("DELETE", at, { token: admin.key })).toMatchObject({ body: { code: "LAST_ADMIN" } });
  });

  it("gives a deployer what a deployer may, and not the account of an administrator", async () => {
    const admin = await house.setUp();
    const bob = await house.join(admin, "deployer");
    for (const [method, url] of [
      ["GET", "/api/v1/users"],
      ["POST", `/api/v1/users/${admin.user.id}/link`],
    ] as const)
      expect((await house.ask(method, url, { token: bob.token })).status).toBe(403);
  });

  it("makes known what a flood is: refusals are counted, and audited at a bounded rate", async () => {
    house = await reopened({ loginsPerMinute: 10_000 });
    await house.setUp();
    for (let count = 0; count < 80; count += 1) await house.login(`nobody${count}@example.com`);
    const refused = (await house.entries("identity.login_refused")).length;
    expect(refused).toBeGreaterThan(50);
    expect(refused).toBeLessThan(65);
    expect(await house.metrics.render()).toContain('mainstay_identity_logins_total{outcome="password"} 80');
    await house.clock.advance(10_000);
    await house.login("nobody@example.com");
    expect((await house.entries("identity.login_refused"))[0]?.after).toMatchObject({ leftOut: expect.any(Number) });
  });
});

async function reopened(config: Partial<IdentityConfig>): Promise<IdentityHouse> {
  await house.close();
  return openIdentityHouse({ config });
}

describe("delays and limits", () => {
  const wrong = { password: "another one entirely" };

  it("make every further attempt wait, whether the account exists or not, and let in afterwards", async () => {
    await house.setUp();
    for (const email of ["ann@example.com", "nobody@example.com"]) {
      for (let count = 0; count < 5; count += 1) {
        const { status } = await house.login(email, wrong);
        expect([email, count, status]).toEqual([email, count, count < 4 ? 401 : 429]);
      }
    }
    const delayed = await house.login("ann@example.com");
    expect(delayed).toMatchObject({ status: 429, body: { code: "LOGIN_DELAYED" } });
    expect(delayed.headers["retry-after"]).toBe("1");
    await house.clock.advance(1_000);
    expect((await house.login("ann@example.com")).status).toBe(200);
  });

  it("do not let many attempts at once pass together", async () => {
    await house.setUp();
    const all = await Promise.all(Array.from({ length: 12 }, () => house.login("ann@example.com", wrong)));
    expect(all.filter(({ status }) => status === 401)).toHaveLength(4);
    expect(all.filter(({ status }) => status === 429)).toHaveLength(8);
  });

  it("do not hold up a device that was used before, whatever strangers do", async () => {
    const { device } = await house.setUp();
    for (let count = 0; count < 8; count += 1) await house.login("ann@example.com", wrong);
    expect((await house.login("ann@example.com")).status).toBe(429);
    const { status, body } = await house.login("ann@example.com", { device });
    expect(status).toBe(200);
    expect((body as LoginResource).notes.join()).toContain("failed before");
  });

  it("count one address, and an IPv6 /64 as one", async () => {
    house = await reopened({ loginsPerMinute: 3 });
    const from = (address: string) => house.login("nobody@example.com", {}, { address });
    const first = await from("2001:db8::1");
    expect(first.headers["ratelimit"]).toBe('"login";r=2;t=20');
    await from("2001:db8::2");
    await from("2001:db8::3");
    expect(await from("2001:db8::4")).toMatchObject({ status: 429, body: { code: "RATE_LIMITED" } });
    expect((await from("2001:db8:0:1::1")).status).toBe(401);
  });
});
