import { family, type Row } from "./attack.ts";
import type { Scene } from "./scene.ts";
import type { Target } from "./target.ts";

const SECRET = "a secret that nobody may read";

/** Something that is refused, and has to be found in the audit with its reason. */
function seen(name: string, tries: string, reason: string, act: (target: Target) => Promise<unknown>): Row {
  return [
    name,
    tries,
    async (target) => {
      await act(target);
      const entries = await target.scene().house.entries("identity.login_refused");
      const found = entries.find(({ after }) => JSON.stringify(after).includes(`"reason":"${reason}"`));
      return found !== undefined && !JSON.stringify(entries).includes(SECRET);
    },
    reason === "provider" ? { oidc: { linkByEmail: true } } : {},
  ];
}

/** Acts that leave no trace, or too much of one. */
export const TRACES = family("audit", [
  seen("password", "guessing a password unseen", "password", ({ login }) =>
    login({ email: "ann@example.com", password: SECRET }),
  ),
  seen("stranger", "trying an address that nobody has unseen", "password", ({ login }) =>
    login({ email: "nobody@example.com", password: SECRET }),
  ),
  seen("second-factor", "guessing a second factor unseen", "second-factor", async (target) => {
    const bob = await target.join("Bob");
    await target.enrolApp(bob);
    const { challenge } = await target.login(bob);
    await target.finish(challenge ?? "", "000000");
  }),
  seen("delayed", "going on while an account is delayed unseen", "delayed", async ({ login }) => {
    for (let count = 0; count < 6; count += 1) await login({ email: "ann@example.com", password: SECRET });
  }),
  seen("limited", "going on while an address is limited unseen", "limited", async ({ login }) => {
    for (let count = 0; count < 40; count += 1)
      await login({ email: `u${count}@example.com`, password: SECRET });
  }),
  seen("challenge", "handing in a challenge that never was unseen", "challenge", ({ finish }) =>
    finish(`mc_${"a".repeat(43)}`, "000000"),
  ),
  seen("link", "trying a one-time link that never was unseen", "link", (target) =>
    target
      .scene()
      .ask("POST", "/api/v1/links/redeem", { body: { link: `ml_${"a".repeat(43)}`, password: SECRET } }),
  ),
  seen("passkey", "trying a passkey that nobody has unseen", "passkey", async (target) => {
    const { authenticator } = await target.addPasskey(await target.join("Bob"));
    const { options, finish } = await target.beginPasskey();
    await finish(authenticator.get(options, { isForged: true }));
  }),
  seen("provider", "coming with a forged token of a provider unseen", "provider", async (target) => {
    const { enterByOidc, provider } = target.scene();
    provider.forge();
    await enterByOidc({ sub: "s-1", email: "ann@example.com", email_verified: true });
  }),
  [
    "flood",
    "hiding one attempt behind a flood of others, of which the audit says nothing",
    async (target) => {
      const { house } = target.scene();
      for (let count = 0; count < 80; count += 1)
        await target.login(
          { email: `u${count}@example.com`, password: SECRET },
          { address: `10.0.${count}.1` },
        );
      await target.advance(10_000);
      await target.login({ email: "ann@example.com", password: SECRET }, { address: "10.1.0.1" });
      const entries = await house.entries("identity.login_refused");
      return entries.length < 80 && JSON.stringify(entries).includes('"leftOut":');
    },
  ],
  [
    "secrets",
    "reading passwords, tokens, codes or keys in the audit",
    async (target) => {
      const { house, ann } = target.scene();
      const bob = await target.join("Bob");
      const { recovery } = await target.enrolApp(bob);
      const { text } = await target.makeKey(bob);
      const audited = JSON.stringify(await house.entries());
      const secrets = [bob.password, bob.session, ann.token ?? "", ann.key ?? "", text, ...recovery];
      return audited.length > 100 && secrets.every((secret) => !audited.includes(secret));
    },
  ],
  [
    "half-act",
    "altering something while its audit row cannot be written",
    async (target) => {
      const { admin, house } = target.scene();
      const bob = await target.join("Bob");
      const { pool } = house.database;
      const { rows } = await pool.query(
        "select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname = 'audit'",
      );
      for (const { name } of rows)
        await pool.query(`create or replace function refuse() returns trigger language plpgsql as
          $$ begin raise exception 'the audit is gone'; end $$;
          create trigger refuse before insert on ${name} for each statement execute function refuse()`);
      await admin("POST", `/api/v1/users/${bob.id}/disable`);
      return rows.length > 0 && (await target.whoIs(bob.session)) === bob.id;
    },
  ],
]);

/** A request that is sent again with the same Idempotency-Key, by whoever. */
async function twice(scene: Scene, url: string, body: object) {
  const asking = { body, headers: { "idempotency-key": "again" } };
  const first = await scene.admin("POST", url, asking);
  const second = await scene.admin("POST", url, asking);
  return { first, second, isKept: second.headers["idempotency-replayed"] === "true" };
}

const unkept = (name: string, tries: string, url: string, body: object): Row => [
  name,
  tries,
  async (target) => {
    const { first, isKept } = await twice(target.scene(), url, body);
    const kept = await target.scene().house.database.pool.query("select * from kernel_http.idempotency_keys");
    return first.status < 300 && !isKept && kept.rows.length === 0;
  },
];

/** Answers that hold a secret, kept for repeats. */
export const IDEMPOTENCY = family("idempotency keys", [
  unkept("key", "having the answer with a new API key repeated", "/api/v1/keys", {
    name: "k",
    role: "viewer",
  }),
  unkept("invitation", "having the answer with an invitation repeated", "/api/v1/users", {
    ...{ email: "x@example.com", name: "X", role: "viewer" },
  }),
  unkept("login", "having the answer with a session's token repeated", "/api/v1/login", {
    ...{ email: "ann@example.com", password: "seven lamps under water", transport: "bearer" },
  }),
  unkept("token", "having the answer with a short-lived token repeated", "/api/v1/tokens", {
    permissions: ["api.read"],
  }),
  [
    "rotation",
    "having the answer with a rotated key repeated",
    async (target) => {
      const scene = target.scene();
      const { key } = await scene.key({ role: "viewer" });
      const { isKept, first } = await twice(scene, `/api/v1/keys/${key.id}/rotate`, {});
      return first.status === 200 && !isKept;
    },
  ],
  [
    "app",
    "having the answer with the secret of an app repeated",
    async (target) => {
      const { ask, ann } = target.scene();
      const asking = { token: ann.token, headers: { "idempotency-key": "again" } };
      await ask("POST", "/api/v1/account/factors/totp", asking);
      const again = await ask("POST", "/api/v1/account/factors/totp", asking);
      return again.headers["idempotency-replayed"] === undefined;
    },
  ],
  [
    "of-another",
    "being answered what somebody else was answered, by their Idempotency-Key",
    async (target) => {
      const scene = target.scene();
      const body = { name: "web" };
      const headers = { "idempotency-key": "again" };
      await scene.admin("POST", "/api/v1/teams", { body, headers });
      const { token } = await scene.join("viewer");
      const theirs = await scene.ask("POST", "/api/v1/teams", { token, body, headers });
      return theirs.status === 403 && theirs.headers["idempotency-replayed"] === undefined;
    },
  ],
  [
    "without-step-up",
    "being answered by repetition what takes a fresh second factor by now",
    async (target) => {
      const { ask, ann } = target.scene();
      const asking = { token: ann.token, body: { name: "web" }, headers: { "idempotency-key": "again" } };
      const first = await ask("POST", "/api/v1/teams", asking);
      await target.advance(5 * 60_000 + 1);
      return first.status === 201 && (await ask("POST", "/api/v1/teams", asking)).status === 403;
    },
  ],
  [
    "other-body",
    "doing another thing under the Idempotency-Key of the first",
    async (target) => {
      const { admin } = target.scene();
      const headers = { "idempotency-key": "again" };
      await admin("POST", "/api/v1/teams", { body: { name: "web" }, headers });
      return (await admin("POST", "/api/v1/teams", { body: { name: "api" }, headers })).status === 422;
    },
  ],
]);
