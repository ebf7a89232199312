import { createHmac, generateKeyPairSync, sign } from "node:crypto";
import { family, type Row } from "./attack.ts";
import type { Scene, SceneSettings } from "./scene.ts";

const OIDC: SceneSettings = { oidc: { linkByEmail: true } };
const ANN = { sub: "s-1", email: "ann@example.com", email_verified: true };
const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");

/** A login at a provider that says something wrong. */
function distorted(name: string, tries: string, distort: (scene: Scene) => void): Row {
  return [
    name,
    tries,
    async (target) => {
      const scene = target.scene();
      distort(scene);
      return (await scene.enterByOidc(ANN)).status >= 400;
    },
    OIDC,
  ];
}

const claims = (name: string, tries: string, altered: Record<string, unknown>): Row =>
  distorted(name, tries, ({ provider }) => provider.distort(altered));

/** A login there whose way back to us was altered. */
function wayBack(name: string, tries: string, alter: (path: string) => string): Row {
  return [
    name,
    tries,
    async (target) => {
      const { ask, beginOidc, provider } = target.scene();
      const { url, cookie } = await beginOidc();
      return (await ask("GET", alter(provider.agree(url, ANN)), { headers: { cookie } })).status >= 400;
    },
    OIDC,
  ];
}

/** Identity providers that lie, and others who stand between. */
export const OIDC_TAMPERING = family("OIDC", [
  claims("issuer", "coming with a token of another issuer", { iss: "https://evil.example" }),
  claims("audience", "coming with a token for another client", { aud: "somebody-else" }),
  claims("audiences", "coming with a token for two clients, of which the other one asked", {
    aud: ["mainstay", "somebody-else"],
    azp: "somebody-else",
  }),
  claims("nonce", "coming with a token of an earlier login", { nonce: "replayed" }),
  claims("no-nonce", "coming with a token that says of no login that it belongs to it", { nonce: undefined }),
  claims("expired", "coming with a token that has expired", { exp: 1 }),
  claims("no-expiry", "coming with a token that never expires", { exp: undefined }),
  claims("no-subject", "coming with a token that names nobody", { sub: undefined }),
  claims("issued-later", "coming with a token from the future", { nbf: 4_000_000_000 }),
  distorted("key", "coming with a token signed with a key that the provider does not publish", (scene) =>
    scene.provider.forge(),
  ),
  distorted("none", "coming with a token that is not signed, algorithm none", ({ provider }) =>
    provider.write((said) => `${part({ alg: "none" })}.${part(said)}.`),
  ),
  distorted(
    "hs256",
    "coming with a token signed with the provider's public key as if it were a secret",
    ({ provider }) =>
      provider.write((said, publicKey) => {
        const signed = `${part({ alg: "HS256", kid: "k1" })}.${part(said)}`;
        const secret = publicKey.export({ type: "spki", format: "pem" });
        return `${signed}.${createHmac("sha256", secret).update(signed).digest("base64url")}`;
      }),
  ),
  distorted("client-secret", "coming with a token signed with the client's secret", ({ provider }) =>
    provider.write((said) => {
      const signed = `${part({ alg: "HS256" })}.${part(said)}`;
      return `${signed}.${createHmac("sha256", "the client's secret").update(signed).digest("base64url")}`;
    }),
  ),
  distorted("embedded-key", "coming with a token that brings its own key along", ({ provider }) =>
    provider.write((said) => {
      const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
      const header = { alg: "RS256", jwk: publicKey.export({ format: "jwk" }) };
      const signed = `${part(header)}.${part(said)}`;
      return `${signed}.${sign("sha256", Buffer.from(signed), privateKey).toString("base64url")}`;
    }),
  ),
  wayBack("state", "coming back with another state", (path) => path.replace(/state=[^&]+/, "state=another")),
  wayBack("no-state", "coming back without a state", (path) => path.replace(/&?state=[^&]+/, "")),
  wayBack("code", "coming back with a code that the provider never gave", (path) =>
    path.replace(/code=[^&]+/, "code=another"),
  ),
  wayBack(
    "mix-up",
    "coming back from another provider than the one that was asked (RFC 9207)",
    (path) => `${path}&iss=${encodeURIComponent("https://evil.example")}`,
  ),
  wayBack("error", "coming back with an error and a code at once", (path) => `${path}&error=access_denied`),
  [
    "code-replay",
    "coming back a second time with the same code",
    async (target) => {
      const { ask, beginOidc, provider } = target.scene();
      const { url, cookie } = await beginOidc();
      const back = provider.agree(url, ANN);
      const first = await ask("GET", back, { headers: { cookie } });
      return first.status === 200 && (await ask("GET", back, { headers: { cookie } })).status >= 400;
    },
    OIDC,
  ],
  [
    "code-of-another-login",
    "coming back with the code of somebody else's login under one's own state",
    async (target) => {
      const { ask, beginOidc, provider } = target.scene();
      const [mine, theirs] = [await beginOidc(), await beginOidc()];
      const stolen = new URLSearchParams(provider.agree(theirs.url, ANN).split("?")[1]).get("code");
      const back = provider.agree(mine.url, { sub: "s-9" }).replace(/code=[^&]+/, `code=${stolen}`);
      return (await ask("GET", back, { headers: { cookie: mine.cookie } })).status >= 400;
    },
    OIDC,
  ],
  [
    "other-browser",
    "having a victim's browser come back from a login that the attacker has begun",
    async (target) => {
      const { ask, beginOidc, provider } = target.scene();
      const { url } = await beginOidc();
      return (await ask("GET", provider.agree(url, ANN))).status >= 400;
    },
    OIDC,
  ],
  [
    "late",
    "coming back a quarter of an hour later",
    async (target) => {
      const { ask, beginOidc, provider } = target.scene();
      const { url, cookie } = await beginOidc();
      await target.advance(15 * 60_000);
      return (await ask("GET", provider.agree(url, ANN), { headers: { cookie } })).status >= 400;
    },
    OIDC,
  ],
  [
    "unverified",
    "taking over an account by its address, which the provider does not vouch for",
    async (target) => (await target.scene().enterByOidc({ ...ANN, email_verified: false })).status === 401,
    OIDC,
  ],
  [
    "unsaid",
    "taking over an account by its address, of which the provider says nothing",
    async (target) => (await target.scene().enterByOidc({ sub: "s-1", email: ANN.email })).status === 401,
    OIDC,
  ],
  [
    "verified-as-text",
    "taking over an account by an address that is vouched for by the text false",
    async (target) => {
      const { enterByOidc, provider } = target.scene();
      provider.distort({ email_verified: "false" });
      return (await enterByOidc(ANN)).status === 401;
    },
    OIDC,
  ],
  [
    "not-asked-to-link",
    "taking over an account by its address where the platform does not go by addresses",
    async (target) => (await target.scene().enterByOidc(ANN)).status === 401,
    { oidc: { linkByEmail: false } },
  ],
  [
    "stranger",
    "getting in as somebody whom the provider knows and nobody has invited",
    async (target) => {
      const eve = { sub: "s-3", email: "eve@example.com", email_verified: true };
      return (await target.scene().enterByOidc(eve)).status === 401;
    },
    OIDC,
  ],
  [
    "address-moved",
    "getting in as somebody else by having their address put on one's own account at the provider",
    async (target) => {
      const { enterByOidc, join, ask } = target.scene();
      const { user } = await join("viewer");
      const bob = { sub: "s-2", email: user.email, email_verified: true };
      await enterByOidc(bob);
      const { cookies } = await enterByOidc({ ...bob, email: ANN.email });
      const cookie = cookies.map(({ name, value }) => `${name}=${value}`).join("; ");
      const { body } = await ask("GET", "/api/v1/account", { headers: { cookie } });
      return (body as { user: { id: string } }).user.id === user.id;
    },
    OIDC,
  ],
  [
    "disabled",
    "getting in by a provider as somebody who was disabled",
    async (target) => {
      const { admin, enterByOidc, join } = target.scene();
      const { user } = await join("viewer");
      await admin("POST", `/api/v1/users/${user.id}/disable`);
      const bob = { sub: "s-2", email: user.email, email_verified: true };
      return (await enterByOidc(bob)).status === 401;
    },
    OIDC,
  ],
  [
    "redirect",
    "having the browser sent back to a server of the attacker's, by the Host of the request",
    async (target) => {
      const { ask } = target.scene();
      const headers = { "x-forwarded-host": "evil.example", forwarded: "host=evil.example" };
      const answer = await ask("GET", "/api/v1/login/oidc/corp?redirect_uri=https://evil.example", {
        headers,
      });
      const back = new URL(String(answer.headers["location"])).searchParams.get("redirect_uri");
      return back === "http://localhost:7700/api/v1/login/oidc/corp/callback";
    },
    OIDC,
  ],
]);
