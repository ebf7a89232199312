import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { EnteredResource } from "@mainstay/api";
import { openIdentityHouse, type IdentityHouse } from "../../../../../tests/support/identity-house.ts";
import {
  startOidcProvider,
  type OidcProvider,
  type Person,
} from "../../../../../tests/support/oidc-provider.ts";

let provider: OidcProvider;
let house: IdentityHouse;
let ann: EnteredResource;
beforeEach(async () => {
  provider = await startOidcProvider();
  house = await open(true);
});
afterEach(async () => {
  await house.close();
  await provider.close();
});

async function open(linkByEmail: boolean): Promise<IdentityHouse> {
  const shared = {
    issuer: provider.issuer,
    clientId: "mainstay",
    clientSecret: { env: "X", file: undefined },
  };
  const opened = await openIdentityHouse({ config: { oidc: [{ name: "corp", ...shared, linkByEmail }] } });
  ann = await opened.setUp();
  return opened;
}

const ANN: Person = { sub: "s-1", email: "ann@example.com", email_verified: true };
const AT = "/api/v1/login/oidc/corp";

async function begin() {
  const { status, headers, cookies } = await house.ask("GET", AT);
  expect(status).toBe(303);
  return { url: String(headers["location"]), cookie: `mainstay_oidc=${cookies[0]?.value}` };
}

async function enterAs(person: Person) {
  const { url, cookie } = await begin();
  return house.ask("GET", provider.agree(url, person), { headers: { cookie } });
}

describe("a login at an identity provider", () => {
  it("sends the browser there with state, nonce and a code challenge, without the secret", async () => {
    const { url } = await begin();
    const asked = new URL(url).searchParams;
    for (const name of ["state", "nonce", "code_challenge"])
      expect(asked.get(name)?.length).toBeGreaterThan(40);
    expect(asked.get("code_challenge_method")).toBe("S256");
    expect(url).not.toContain("secret");
  });

  it("links by an address that the provider vouches for, and goes by the subject then", async () => {
    const entered = await enterAs(ANN);
    expect(entered.status).toBe(200);
    const cookie = entered.cookies.find(({ name }) => name === "mainstay_session")?.value;
    const account = await house.ask("GET", "/api/v1/account", {
      headers: { cookie: `mainstay_session=${cookie}` },
    });
    expect(account.body).toMatchObject({ user: { id: ann.user.id }, session: { methods: ["oidc:corp"] } });
    expect((await house.entries("identity.account_linked"))[0]?.after).toMatchObject({ subject: "s-1" });
    expect((await enterAs({ sub: "s-1" })).status).toBe(200);
  });

  it("lets in whoever was invited, and nobody else", async () => {
    const body = { email: "bob@example.com", name: "Bob", role: "operator" };
    await house.ask("POST", "/api/v1/users", { token: ann.token, body });
    const bob = await enterAs({ sub: "s-2", email: "bob@example.com", email_verified: true });
    const headers = { cookie: `mainstay_session=${bob.cookies[0]?.value}` };
    expect((await house.ask("GET", "/api/v1/keys", { headers })).status).toBe(200);
    expect((await enterAs({ sub: "s-3", email: "eve@example.com", email_verified: true })).status).toBe(401);
  });

  it("does not believe an address that is not verified, or that it was not told to go by", async () => {
    expect((await enterAs({ ...ANN, email_verified: false })).status).toBe(401);
    expect((await enterAs({ sub: "s-1", email: "ann@example.com" })).status).toBe(401);
    await house.close();
    house = await open(false);
    expect((await enterAs(ANN)).status).toBe(401);
  });

  it("does not let in who was disabled", async () => {
    const bob = await house.join(ann, "viewer");
    const person = { sub: "s-2", email: "bob@example.com", email_verified: true };
    expect((await enterAs(person)).status).toBe(200);
    await house.ask("POST", `/api/v1/users/${bob.user.id}/disable`, { token: ann.token });
    expect((await enterAs(person)).status).toBe(401);
  });

  it.each([
    ["another issuer", { iss: "https://evil.example" }],
    ["another audience", { aud: "somebody-else" }],
    ["another nonce", { nonce: "replayed" }],
    ["an end in the past", { exp: 1 }],
  ])("refuses a token with %s", async (_name, claims) => {
    provider.distort(claims);
    expect(await enterAs(ANN)).toMatchObject({ status: 502, body: { code: "PROVIDER_FAILED" } });
    expect(await house.entries("identity.login_refused")).toHaveLength(1);
  });

  it("refuses a token that the provider did not sign", async () => {
    provider.forge();
    expect((await enterAs(ANN)).status).toBe(502);
  });

  it("ends in the browser that it began in, once, with the state it was given", async () => {
    const { url, cookie } = await begin();
    const back = provider.agree(url, ANN);
    expect((await house.ask("GET", back)).status).toBe(401);
    const foreign = back.replace(/state=[^&]+/, "state=another");
    expect((await house.ask("GET", foreign, { headers: { cookie } })).status).toBe(502);
    expect((await house.ask("GET", back, { headers: { cookie } })).status).toBe(401);
  });

  it("says what is wrong when the provider does not answer", async () => {
    await provider.close();
    expect(await house.ask("GET", AT)).toMatchObject({ status: 502, body: { code: "PROVIDER_FAILED" } });
    provider = await startOidcProvider();
  });
});
