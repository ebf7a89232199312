import { family, type Row } from "./attack.ts";
import type { Scene } from "./scene.ts";

const ACCOUNT = "/api/v1/account";
const LATE = 5 * 60_000 + 1;
type Act = (scene: Scene, token: string | null) => ReturnType<Scene["ask"]>;

/** Something that takes a fresh second factor, tried with a session that has none. */
function late(name: string, tries: string, act: Act): Row {
  return [
    name,
    tries,
    async (target) => {
      const scene = target.scene();
      await target.advance(LATE);
      const { status, body } = await act(scene, scene.ann.token);
      return status === 403 && JSON.stringify(body).includes("STEP_UP_REQUIRED");
    },
  ];
}

const PASSWORD = { password: "seven lamps under water" };

/** What takes a fresh second factor, tried without one. */
export const STEP_UP = family("step-up", [
  late("invite", "inviting an administrator from a session found open", ({ ask }, token) =>
    ask("POST", "/api/v1/users", { token, body: { email: "e@example.com", name: "E", role: "admin" } }),
  ),
  late("grant", "granting oneself a role from a session found open", ({ ask, ann }, token) =>
    ask("POST", "/api/v1/grants", {
      ...{ token, body: { subject: { type: "user", id: ann.user.id }, role: "admin", service: "shop" } },
    }),
  ),
  late("key", "making an API key from a session found open", ({ ask }, token) =>
    ask("POST", "/api/v1/keys", { token, body: { name: "mine", role: "admin" } }),
  ),
  late("exempt-key", "making a key that needs no second factor from a session found open", ({ ask }, token) =>
    ask("POST", "/api/v1/keys", { token, body: { name: "mine", role: "admin", stepUpExempt: true } }),
  ),
  late("app", "enrolling an app from a session found open", ({ ask }, token) =>
    ask("POST", `${ACCOUNT}/factors/totp`, { token }),
  ),
  late("remove-app", "removing the app from a session found open", ({ ask }, token) =>
    ask("DELETE", `${ACCOUNT}/factors/totp`, { token }),
  ),
  late("passkey", "registering a passkey from a session found open", ({ ask }, token) =>
    ask("POST", `${ACCOUNT}/passkeys/options`, { token }),
  ),
  late("recovery", "having new recovery codes made from a session found open", ({ ask }, token) =>
    ask("POST", `${ACCOUNT}/factors/recovery-codes`, { token }),
  ),
  late(
    "link",
    "having a link made to begin anew as somebody from a session found open",
    ({ ask, ann }, token) => ask("POST", `/api/v1/users/${ann.user.id}/link`, { token }),
  ),
  late("rotate-tokens", "rotating the keys of tokens from a session found open", ({ ask }, token) =>
    ask("POST", "/api/v1/tokens/rotate", { token, body: { revoke: true } }),
  ),
  late("role", "making a role from a session found open", ({ ask }, token) =>
    ask("POST", "/api/v1/roles", { token, body: { name: "mine", permissions: ["audit.read"] } }),
  ),
  late("remove-user", "removing somebody from a session found open", ({ ask, ann }, token) =>
    ask("DELETE", `/api/v1/users/${ann.user.id}`, { token }),
  ),
  [
    "password-instead",
    "stepping up with the password where a second factor is enrolled",
    async (target) => {
      const bob = await target.join("Bob");
      await target.enrolApp(bob);
      const asking = { token: bob.session, body: PASSWORD };
      return (await target.scene().ask("POST", "/api/v1/step-up", asking)).status === 401;
    },
  ],
  [
    "password-forbidden",
    "stepping up with the password where the platform does not let it count",
    async (target) => {
      const { ask, ann } = target.scene();
      return (await ask("POST", "/api/v1/step-up", { token: ann.token, body: PASSWORD })).status === 401;
    },
    { config: { passwordConfirms: false } },
  ],
  [
    "replayed-code",
    "stepping up with the code that was used to log in",
    async (target) => {
      const bob = await target.join("Bob");
      const { code } = await target.enrolApp(bob);
      const { challenge } = await target.login(bob);
      const used = code();
      const { session } = await target.finish(challenge ?? "", used);
      const asking = { token: session, body: { code: used } };
      return session !== null && (await target.scene().ask("POST", "/api/v1/step-up", asking)).status === 401;
    },
  ],
  [
    "foreign-passkey",
    "stepping up with the passkey of somebody else",
    async (target) => {
      const [bob, eve] = [await target.join("Bob"), await target.join("Eve")];
      await target.enrolApp(bob);
      const { authenticator } = await target.addPasskey(eve);
      const { ask } = target.scene();
      const { body } = await ask("POST", "/api/v1/login/passkey/options");
      const { challenge, options } = body as { challenge: string; options: object };
      const passkey = { challenge, response: authenticator.get(options) };
      return (await ask("POST", "/api/v1/step-up", { token: bob.session, body: { passkey } })).status === 401;
    },
  ],
  [
    "old-token",
    "using the token of the session from before the step-up",
    async (target) => {
      const { ask, ann } = target.scene();
      const { status } = await ask("POST", "/api/v1/step-up", { token: ann.token, body: PASSWORD });
      return status === 200 && (await target.whoIs(ann.token ?? "")) === null;
    },
  ],
  [
    "another-session",
    "using the step-up of one session in another session of the same person",
    async (target) => {
      const { ask, ann, house } = target.scene();
      await target.advance(LATE);
      const other = await house.login(ann.user.email, {}, { address: "203.0.113.44" });
      const { token } = other.body as { token: string };
      await ask("POST", "/api/v1/step-up", { token: ann.token, body: PASSWORD });
      const body = { email: "e@example.com", name: "E", role: "viewer" };
      return (await ask("POST", "/api/v1/users", { token, body })).status === 403;
    },
  ],
  [
    "plain-key",
    "doing with a plain key what takes a fresh second factor",
    async (target) => {
      const { ask, key } = target.scene();
      const { secret } = await key({ role: "admin" });
      const body = { email: "e@example.com", name: "E", role: "viewer" };
      return (await ask("POST", "/api/v1/users", { token: secret, body })).status === 403;
    },
  ],
  [
    "key-steps-up",
    "stepping up with a key",
    async (target) => {
      const { ask, key } = target.scene();
      const { secret } = await key({ role: "admin" });
      return (await ask("POST", "/api/v1/step-up", { token: secret, body: PASSWORD })).status >= 400;
    },
  ],
  [
    "by-oidc",
    "doing after a login at an identity provider alone what takes an enrolled second factor",
    async (target) => {
      const { ask, ann, enterByOidc } = target.scene();
      await target.enrolApp({
        ...PASSWORD,
        email: ann.user.email,
        id: ann.user.id,
        session: ann.token ?? "",
      });
      const person = { sub: "s-1", email: ann.user.email, email_verified: true };
      const { cookies } = await enterByOidc(person);
      const cookie = cookies.map(({ name, value }) => `${name}=${value}`).join("; ");
      const headers = { cookie, "sec-fetch-site": "same-origin" };
      const body = { email: "e@example.com", name: "E", role: "viewer" };
      return cookie !== "" && (await ask("POST", "/api/v1/users", { headers, body })).status === 403;
    },
    { oidc: { linkByEmail: true } },
  ],
]);
