import type { EnteredResource, TotpSecret } from "@mainstay/api";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createAuthenticator } from "../../../../../tests/support/authenticator.ts";
import { openIdentityHouse, PUBLIC_URL, type IdentityHouse } from "../../../../../tests/support/identity-house.ts";
import { hotp, stepAt } from "../domain/totp.ts";

const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const ACCOUNT = "/api/v1/account";
let house: IdentityHouse;
let ann: EnteredResource;
beforeEach(async () => {
  house = await openIdentityHouse();
  ann = await house.setUp();
});
afterEach(() => house.close());

function decode(text: string): Buffer {
  const bits = [...text].map((digit) => DIGITS.indexOf(digit).toString(2).padStart(5, "0")).join("");
  return Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
}

/** An app that knows the secret, and the recovery codes. */
async function enrolApp() {
  const { body } = await house.ask("POST", `${ACCOUNT}/factors/totp`, { token: ann.token });
  const secret = decode((body as TotpSecret).secret);
  const code = (around = 0) => hotp(secret, stepAt(house.clock.now().getTime()) + around);
  const confirmed = await house.ask("POST", `${ACCOUNT}/factors/totp/confirm`, {
    token: ann.token,
    body: { code: code() },
  });
  return { code, secret, codes: (confirmed.body as { codes: string[] }).codes };
}

async function challengeOf(): Promise<string> {
  const { body } = await house.login("ann@example.com");
  expect(body).toMatchObject({ state: "second-factor" });
  return (body as { challenge: string }).challenge;
}
const second = (body: object) =>
  house.ask("POST", "/api/v1/login/second-factor", { body: { transport: "bearer", ...body } });

describe("an authenticator app", () => {
  it("counts once its first code was right, and lets nobody in without another", async () => {
    const begun = await house.ask("POST", `${ACCOUNT}/factors/totp`, { token: ann.token });
    expect((begun.body as TotpSecret).uri).toContain("otpauth://totp/Mainstay:ann%40example.com");
    expect((await house.login("ann@example.com")).body).toMatchObject({ state: "authenticated" });
    const wrong = { token: ann.token, body: { code: "000000" } };
    expect((await house.ask("POST", `${ACCOUNT}/factors/totp/confirm`, wrong)).status).toBe(409);
    const { code } = await enrolApp();
    const challenge = await challengeOf();
    expect((await second({ challenge, code: code() })).status).toBe(401);
    await house.clock.advance(30_000);
    const { body, status } = await second({ challenge, code: code() });
    expect(status).toBe(200);
    expect(body).toMatchObject({ state: "authenticated", user: { hasSecondFactor: true } });
    expect((await second({ challenge, code: code(1) })).status).toBe(401);
  });

  it("gives each code to one login only, also to two at once", async () => {
    const { code } = await enrolApp();
    await house.clock.advance(30_000);
    const challenges = [await challengeOf(), await challengeOf()];
    const both = await Promise.all(challenges.map((challenge) => second({ challenge, code: code() })));
    expect(both.map(({ status }) => status).toSorted()).toEqual([200, 401]);
  });

  it("is kept sealed", async () => {
    const { secret } = await enrolApp();
    const { rows } = await house.database.pool.query("select sealed_secret from identity.totp");
    expect(Buffer.from(rows[0].sealed_secret).includes(secret)).toBe(false);
  });

  it("is guessed five times at most for one password, ever more slowly", async () => {
    await enrolApp();
    const challenge = await challengeOf();
    const statuses = [];
    for (let count = 0; count < 6; count += 1) {
      statuses.push((await second({ challenge, code: "000000" })).status);
      await house.clock.advance(10_000);
    }
    expect(statuses).toEqual([401, 401, 401, 401, 401, 401]);
    expect((await second({ challenge, code: "000000" })).body).toMatchObject({ code: "CHALLENGE_EXPIRED" });
    expect((await second({ challenge: await challengeOf(), code: "000000" })).status).toBe(401);
    expect((await second({ challenge: await challengeOf(), code: "000000" })).body).toMatchObject({
      code: "LOGIN_DELAYED",
    });
  });
});

describe("recovery codes", () => {
  it("work once each, and are void when there are new ones", async () => {
    const { codes } = await enrolApp();
    expect(codes).toHaveLength(10);
    expect((await second({ challenge: await challengeOf(), code: codes[0] })).status).toBe(200);
    expect((await second({ challenge: await challengeOf(), code: codes[0] })).status).toBe(401);
    const renewed = await house.ask("POST", `${ACCOUNT}/factors/recovery-codes`, { token: ann.token });
    expect((await second({ challenge: await challengeOf(), code: codes[1] })).status).toBe(401);
    const [fresh] = (renewed.body as { codes: string[] }).codes;
    expect((await second({ challenge: await challengeOf(), code: fresh })).status).toBe(200);
  });
});

describe("step-up", () => {
  const invite = (token: string | null, email = "x@example.com") =>
    house.ask("POST", "/api/v1/users", { token, body: { email, name: "X", role: "viewer" } });
  const stepUp = (token: string | null, body: object) => house.ask("POST", "/api/v1/step-up", { token, body });

  it("counts for five minutes, and gives the session a new token", async () => {
    expect((await invite(ann.token)).status).toBe(201);
    await house.clock.advance(5 * 60_000 + 1);
    expect(await invite(ann.token, "y@example.com")).toMatchObject({ status: 403, body: { code: "STEP_UP_REQUIRED" } });
    const confirmed = await stepUp(ann.token, { password: "seven lamps under water" });
    expect(confirmed).toMatchObject({ status: 200, body: { notes: [expect.stringContaining("enrol")] } });
    const { token } = confirmed.body as { token: string };
    expect((await house.ask("GET", ACCOUNT, { token: ann.token })).status).toBe(401);
    expect((await invite(token, "y@example.com")).status).toBe(201);
    const [entry] = await house.entries("identity.user_invited");
    expect(entry?.stepUp).toMatchObject({ at: house.clock.now().toISOString() });
  });

  it("takes no password from who has a second factor", async () => {
    const { code } = await enrolApp();
    expect((await stepUp(ann.token, { password: "seven lamps under water" })).status).toBe(401);
    await house.clock.advance(30_000);
    expect((await stepUp(ann.token, { code: code() })).status).toBe(200);
  });

  it("guards second factors themselves", async () => {
    await house.clock.advance(5 * 60_000 + 1);
    for (const url of ["totp", "recovery-codes"])
      expect((await house.ask("POST", `${ACCOUNT}/factors/${url}`, { token: ann.token })).status).toBe(403);
    expect((await house.ask("POST", `${ACCOUNT}/passkeys/options`, { token: ann.token })).status).toBe(403);
  });

  it("is not for keys", async () => {
    expect(await stepUp(ann.key, { password: "x" })).toMatchObject({ body: { code: "SESSION_REQUIRED" } });
  });
});

interface Begun {
  challenge: string;
  options: object;
}

describe("a passkey", () => {
  const begin = async (url: string, token: string | null = null) =>
    (await house.ask("POST", url, { token })).body as Begun;
  const loginOptions = () => begin("/api/v1/login/passkey/options");
  const enter = (challenge: string, response: object) =>
    house.ask("POST", "/api/v1/login/passkey", { body: { challenge, response, transport: "bearer" } });

  async function register(change: object = {}) {
    const authenticator = createAuthenticator(PUBLIC_URL);
    const { challenge, options } = await begin(`${ACCOUNT}/passkeys/options`, ann.token);
    const body = { challenge, name: "laptop", response: authenticator.create(options, change) };
    const registered = await house.ask("POST", `${ACCOUNT}/passkeys`, { token: ann.token, body });
    return { authenticator, registered };
  }

  it("is registered, brings recovery codes, and lets its owner in alone", async () => {
    const { authenticator, registered } = await register();
    expect(registered).toMatchObject({ status: 201, body: { codes: expect.any(Array) } });
    const { challenge, options } = await loginOptions();
    const entered = await enter(challenge, authenticator.get(options));
    expect(entered).toMatchObject({ status: 200, body: { user: { email: "ann@example.com" } } });
    expect(options).not.toHaveProperty("allowCredentials", expect.arrayContaining([expect.anything()]));
  });

  it("is a second factor beside the password, and for a step-up", async () => {
    const { authenticator } = await register();
    const first = await loginOptions();
    const login = await challengeOf();
    const passkey = { challenge: first.challenge, response: authenticator.get(first.options) };
    expect((await second({ challenge: login, passkey })).status).toBe(200);
    const next = await loginOptions();
    const body = { passkey: { challenge: next.challenge, response: authenticator.get(next.options) } };
    expect((await house.ask("POST", "/api/v1/step-up", { token: ann.token, body })).status).toBe(200);
  });

  it.each([
    ["from another origin", { origin: "https://evil.example" }],
    ["for another host", { rpId: "evil.example" }],
    ["without a verified user", { flags: 0x01 }],
    ["with another key", { isForged: true }],
    ["for another user", { userHandle: "dXNyX290aGVy" }],
  ])("is refused %s", async (_name, change) => {
    const { authenticator } = await register();
    const { challenge, options } = await loginOptions();
    expect((await enter(challenge, authenticator.get(options, change))).status).toBe(401);
  });

  it("is refused when it is replayed, or its counter has gone back", async () => {
    const { authenticator } = await register();
    const first = await loginOptions();
    const response = authenticator.get(first.options);
    expect((await enter(first.challenge, response)).status).toBe(200);
    expect((await enter(first.challenge, response)).status).toBe(401);
    expect((await enter((await loginOptions()).challenge, response)).status).toBe(401);
    authenticator.rewind(0);
    const next = await loginOptions();
    expect((await enter(next.challenge, authenticator.get(next.options))).status).toBe(401);
  });

  it("is not registered from elsewhere, twice, or for somebody else's challenge", async () => {
    expect((await register({ origin: "https://evil.example" })).registered.status).toBe(409);
    const { authenticator } = await register();
    const { challenge, options } = await begin(`${ACCOUNT}/passkeys/options`, ann.token);
    const body = { challenge, name: "again", response: authenticator.create(options) };
    expect((await house.ask("POST", `${ACCOUNT}/passkeys`, { token: ann.token, body })).status).toBe(409);
  });

  it("no longer counts once it was removed", async () => {
    const { authenticator } = await register();
    const at = `${ACCOUNT}/passkeys/${authenticator.id}`;
    expect((await house.ask("DELETE", at, { token: ann.token })).status).toBe(204);
    const { challenge, options } = await loginOptions();
    expect((await enter(challenge, authenticator.get(options))).status).toBe(401);
    expect((await house.login("ann@example.com")).body).toMatchObject({ state: "authenticated" });
  });
});
