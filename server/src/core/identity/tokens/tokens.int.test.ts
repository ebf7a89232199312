import { randomBytes } from "node:crypto";
import { newToken } from "@mainstay/api";
import { createSigningKey, createTokenVerifier } from "@mainstay/token";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openTestDatabase } from "../../../../../tests/support/database.ts";
import { silentLog } from "../../../../../tests/support/log.ts";
import { waitUntil } from "../../../../../tests/support/wait-until.ts";
import { createTestSealer } from "../../../../../tests/support/vault.ts";
import { createVirtualClock } from "../../../kernel/clock.ts";
import type { DatabaseHandle } from "../../../kernel/database/index.ts";
import type { Authenticated, Origin } from "../../../kernel/http/index.ts";
import { createIds } from "../../../kernel/ids.ts";
import { createAudit } from "../../audit/index.ts";
import { createSigningKeys } from "./signing-keys.ts";
import { createTokens } from "./tokens.ts";

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
const START_MS = Date.parse("2026-11-01T12:00:00Z");
const ann: Origin = {
  actor: { type: "user", id: "usr_ann", name: "ann" },
  requestId: null,
  address: null,
};

let database: DatabaseHandle;
let clock: ReturnType<typeof createVirtualClock>;
let sealer: ReturnType<typeof createTestSealer>;
let running: { stop(): Promise<void> }[];

beforeEach(async () => {
  database = await openTestDatabase();
  clock = createVirtualClock(START_MS);
  sealer = createTestSealer();
  running = [];
});
afterEach(async () => {
  for (const each of running) await each.stop();
  await database.close();
});

/** A server of its own on the shared database. */
async function start() {
  const { db } = database;
  const ids = createIds({ clock, random: randomBytes });
  const audit = createAudit({ db, clock, ids });
  const keys = createSigningKeys({ db, clock, random: randomBytes, sealer, audit });
  const trusted: { issuer: string; keys: { kid: string }[] }[] = [];
  const publish = async (each: (typeof trusted)[number]) => void trusted.push(each);
  const tokens = createTokens({ keys, issuer: "urn:mainstay", clock, ids, log: silentLog, publish });
  await tokens.start();
  running.push(tokens);
  const kids = () => tokens.jwks().keys.map(({ kid }) => kid);
  return { tokens, trusted, kids, audit };
}

/** Somebody who may read changes and services in production, and nothing else. */
const holder: Authenticated = {
  actor: ann.actor,
  can: (permission, scope) =>
    ["changes.read", "services.read"].includes(permission) &&
    typeof scope === "object" &&
    scope.environment === "production",
  session: { id: "ses_1", steppedUpAt: new Date(START_MS) },
  key: null,
};
const inProduction = { permissions: ["changes.read"], environment: "production" };
const wish = (more: object = {}) => newToken.parse({ ...inProduction, ...more });
const bearer = (token: string, method = "GET") => ({
  headers: { authorization: `Bearer ${token}` },
  address: "127.0.0.1",
  method,
});

describe("a token for connections that stay open", () => {
  it("lets its holder read what was asked for, where it was asked for, as whoever made it", async () => {
    const { tokens } = await start();
    const { token, audience, expiresAt } = tokens.issue(wish(), holder);
    expect([audience, expiresAt]).toEqual(["realtime", "2026-11-01T12:05:00.000Z"]);
    const found = await tokens.authenticate(bearer(token));
    expect(found).toMatchObject({ actor: ann.actor, session: null, key: null });
    const production = { environment: "production", service: null };
    expect(found?.can("changes.read", production)).toBe(true);
    expect(found?.can("changes.read", { ...production, service: "shop" })).toBe(true);
    expect(found?.can("changes.read", "somewhere")).toBe(true);
    expect(found?.can("changes.read")).toBe(false);
    expect(found?.can("changes.read", { environment: "staging", service: null })).toBe(false);
    expect(found?.can("services.read", production)).toBe(false);
    expect(found?.can("changes.write", production)).toBe(false);
  });

  it("holds only for the service it was made for", async () => {
    const { tokens } = await start();
    const { token } = tokens.issue(wish({ service: "shop" }), holder);
    const found = await tokens.authenticate(bearer(token));
    expect(found?.can("changes.read", { environment: "production", service: "shop" })).toBe(true);
    expect(found?.can("changes.read", { environment: "production", service: "mail" })).toBe(false);
    expect(found?.can("changes.read", { environment: "production", service: null })).toBe(false);
  });

  it.each([
    ["a permission its maker lacks", { permissions: ["audit.read"] }],
    ["one permission of two that its maker lacks", { permissions: ["changes.read", "audit.read"] }],
    ["an environment its maker may not read", { environment: "staging" }],
    ["more environments than its maker may read", { environment: null }],
  ])("is not made for %s", async (_name, more) => {
    const { tokens } = await start();
    expect(() => tokens.issue(wish(more), holder)).toThrowError(
      expect.objectContaining({ code: "PERMISSION_DENIED" }),
    );
  });

  it.each([
    ["a permission that alters something", { permissions: ["changes.write"] }],
    ["a permission that is none", { permissions: ["*"] }],
    ["no permission", { permissions: [] }],
    ["more than a quarter of an hour", { lifetime: "16m" }],
    ["another audience", { audience: "agent" }],
  ])("cannot be asked for with %s", (_name, more) => {
    expect(newToken.safeParse({ ...inProduction, ...more }).success).toBe(false);
  });

  it("alters nothing, whatever it says", async () => {
    const { tokens } = await start();
    const { token } = tokens.issue(wish(), holder);
    for (const method of ["POST", "PUT", "PATCH", "DELETE"]) {
      await expect(tokens.authenticate(bearer(token, method))).rejects.toMatchObject({
        code: "UNAUTHENTICATED",
      });
    }
  });

  it("holds for its minutes and not a moment longer", async () => {
    const { tokens } = await start();
    const { token } = tokens.issue(wish({ lifetime: "30s" }), holder);
    await clock.advance(29_999);
    expect(await tokens.authenticate(bearer(token))).not.toBe(null);
    await clock.advance(1);
    await expect(tokens.authenticate(bearer(token))).rejects.toMatchObject({ code: "UNAUTHENTICATED" });
  });

  it("is another one than the agent's, which opens nothing here", async () => {
    const { tokens } = await start();
    await expect(tokens.authenticate(bearer(tokens.forAgent()))).rejects.toMatchObject({
      code: "UNAUTHENTICATED",
      errors: [{ path: "headers.authorization", message: "the token is not valid, or not any more" }],
    });
  });

  it("is left to others where it has not the form of one", async () => {
    const { tokens } = await start();
    for (const authorization of ["Bearer mk_abc", "Basic eyJ", "Bearer", "eyJhbGciOiJub25lIn0.e30."])
      expect(await tokens.authenticate({ ...bearer(""), headers: { authorization } })).toBe(null);
    expect(await tokens.authenticate({ ...bearer(""), headers: {} })).toBe(null);
  });
});

describe("the keys that sign", () => {
  it("lie in the database sealed, and open nowhere but in their own row", async () => {
    const { kids } = await start();
    const { rows } = await database.pool.query("select kid, x, sealed_seed from identity.signing_keys");
    expect(rows.map(({ kid }) => kid)).toEqual(kids());
    const [{ kid, x, sealed_seed: sealed }] = rows;
    const seed = sealer.open(["identity.signing_keys", "sealed_seed", kid], sealed);
    expect(createSigningKey(seed).jwk.x).toBe(x);
    expect(sealed.includes(Buffer.from(seed))).toBe(false);
    expect(() => sealer.open(["identity.signing_keys", "sealed_seed", "other"], sealed)).toThrow();
  });

  it("are made once by servers that start together, and audited", async () => {
    const [one, other] = await Promise.all([start(), start()]);
    expect(one.kids()).toEqual(other.kids());
    const { entries } = await one.audit.list();
    expect(entries.map(({ action }) => action)).toEqual(["identity.signing_key_created"]);
    expect(JSON.stringify(entries)).not.toContain("seed");
  });

  it("are replaced in time: published a day ahead, and for as long as their last token lives", async () => {
    const { tokens, kids } = await start();
    const [first = ""] = kids();
    const advanceTo = (days: number) => clock.advance(START_MS + days * DAY_MS - clock.now().getTime());
    /** Minute by minute, for the server looks once a minute and the database takes time of its own. */
    const pass = (what: string, isSo: () => boolean) =>
      waitUntil(what, async () => isSo() || (await clock.advance(MINUTE_MS)));
    await advanceTo(29);
    await pass("the next key is published", () => kids().length === 2);
    expect(kidOf(tokens.issue(wish(), holder).token)).toBe(first);
    await advanceTo(30 - 1 / 1440);
    const last = tokens.issue(wish(), holder).token;
    expect(kidOf(last)).toBe(first);
    await advanceTo(30);
    expect(kidOf(tokens.issue(wish(), holder).token)).toBe(kids()[1]);
    expect(await tokens.authenticate(bearer(last))).not.toBe(null);
    await pass("the first key is forgotten", () => !kids().includes(first));
    expect(clock.now().getTime()).toBeGreaterThanOrEqual(START_MS + 30 * DAY_MS + 15 * MINUTE_MS);
  });

  it("are rotated on demand, while tokens of before live to their end", async () => {
    const { tokens, kids, audit } = await start();
    const before = tokens.issue(wish(), holder).token;
    await tokens.rotate({ revoke: false }, ann);
    const after = tokens.issue(wish(), holder).token;
    expect(kidOf(after)).not.toBe(kidOf(before));
    expect(kids()).toHaveLength(2);
    for (const token of [before, after]) expect(await tokens.authenticate(bearer(token))).not.toBe(null);
    const { entries } = await audit.list();
    expect(entries[0]).toMatchObject({ action: "identity.signing_keys_rotated", actor: ann.actor });
  });

  it("are revoked on demand: nothing that they signed is accepted any more", async () => {
    const { tokens, kids } = await start();
    const before = tokens.issue(wish(), holder).token;
    await tokens.rotate({ revoke: true }, ann);
    expect(kids()).toHaveLength(1);
    await expect(tokens.authenticate(bearer(before))).rejects.toMatchObject({ code: "UNAUTHENTICATED" });
    expect(await tokens.authenticate(bearer(tokens.issue(wish(), holder).token))).not.toBe(null);
  });

  it("of another server are known within seconds, and its revocations within a minute", async () => {
    const [one, other] = [await start(), await start()];
    const before = one.tokens.issue(wish(), holder).token;
    await one.tokens.rotate({ revoke: true }, ann);
    await clock.advance(5000);
    expect(await other.tokens.authenticate(bearer(one.tokens.issue(wish(), holder).token))).not.toBe(null);
    await expect(other.tokens.authenticate(bearer(before))).rejects.toMatchObject({
      code: "UNAUTHENTICATED",
    });
  });
});

describe("the agent's token", () => {
  it("is verified with what was published, renewed within its minute, and for the agent alone", async () => {
    const { tokens, trusted } = await start();
    const published = tokens.jwks().keys;
    expect(trusted.at(-1)).toEqual({ issuer: "urn:mainstay", keys: published });
    const settings = { issuer: "urn:mainstay", audience: "agent", maxLifetimeSeconds: 60, keys: published };
    const verifier = createTokenVerifier(settings);
    const first = tokens.forAgent();
    expect(verifier.verify(first, clock.now().getTime()).refusal).toBe(null);
    expect(tokens.forAgent()).toBe(first);
    await clock.advance(30_000);
    expect(tokens.forAgent()).not.toBe(first);
  });

  it("is signed anew as soon as its key is revoked", async () => {
    const { tokens } = await start();
    const before = kidOf(tokens.forAgent());
    await tokens.rotate({ revoke: true }, ann);
    expect(kidOf(tokens.forAgent())).not.toBe(before);
  });
});

function kidOf(token: string): string {
  const [header = ""] = token.split(".");
  return JSON.parse(Buffer.from(header, "base64url").toString("utf8")).kid;
}
