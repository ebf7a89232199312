import { family } from "./attack.ts";
import type { App, Person, Target } from "./target.ts";

const ACCOUNT = "/api/v1/account";

/** Somebody with an app. */
async function withApp(target: Target, name = "Bob"): Promise<{ bob: Person; app: App }> {
  const bob = await target.join(name);
  return { bob, app: await target.enrolApp(bob) };
}

/** A whole login with such a code; whether it was refused. */
async function isRefused(target: Target, person: Person, code: string): Promise<boolean> {
  const { session, challenge } = await target.login(person);
  if (session !== null || challenge === null) return false;
  return (await target.finish(challenge, code)).session === null;
}

const isLetIn = async (target: Target, person: Person, code: string) =>
  !(await isRefused(target, person, code));

/** Codes of apps and recovery codes that were used, are stale, or are somebody else's. */
export const SECOND_FACTORS = family("second factors", [
  [
    "skip",
    "getting in with the password alone where a second factor is enrolled",
    async (target) => {
      const { bob } = await withApp(target);
      return (await target.login(bob)).session === null;
    },
  ],
  [
    "replay",
    "using a code of an app twice within its 30 seconds",
    async (target) => {
      const { bob, app } = await withApp(target);
      const code = app.code();
      return (await isLetIn(target, bob, code)) && isRefused(target, bob, code);
    },
  ],
  [
    "replay-spelled",
    "using a code of an app again with a space in it",
    async (target) => {
      const { bob, app } = await withApp(target);
      const code = app.code();
      const spaced = `${code.slice(0, 3)} ${code.slice(3)}`;
      return (await isLetIn(target, bob, code)) && isRefused(target, bob, spaced);
    },
  ],
  [
    "older-after-newer",
    "using the code before the one that was used last",
    async (target) => {
      const { bob, app } = await withApp(target);
      const older = app.code();
      await target.advance(30_000);
      return (await isLetIn(target, bob, app.code())) && isRefused(target, bob, older);
    },
  ],
  [
    "two-at-once",
    "using one code for two logins at the same moment",
    async (target) => {
      const { bob, app } = await withApp(target);
      const begun = [await target.login(bob), await target.login(bob)];
      const code = app.code();
      const entries = await Promise.all(begun.map(({ challenge }) => target.finish(challenge ?? "", code)));
      return entries.filter(({ session }) => session !== null).length <= 1;
    },
  ],
  [
    "stale",
    "using a code of an app two minutes late",
    async (target) => {
      const { bob, app } = await withApp(target);
      return isRefused(target, bob, app.code(-4));
    },
  ],
  [
    "early",
    "using a code of an app two minutes early",
    async (target) => {
      const { bob, app } = await withApp(target);
      return isRefused(target, bob, app.code(4));
    },
  ],
  [
    "somebody-elses-code",
    "finishing a login with the code of somebody else's app",
    async (target) => {
      const { bob } = await withApp(target);
      const eve = await withApp(target, "Eve");
      return isRefused(target, bob, eve.app.code());
    },
  ],
  [
    "somebody-elses-recovery",
    "finishing a login with somebody else's recovery code",
    async (target) => {
      const { bob } = await withApp(target);
      const eve = await withApp(target, "Eve");
      return isRefused(target, bob, eve.app.recovery[0] ?? "");
    },
  ],
  [
    "recovery-twice",
    "using a recovery code twice",
    async (target) => {
      const { bob, app } = await withApp(target);
      const [code = ""] = app.recovery;
      return (await isLetIn(target, bob, code)) && isRefused(target, bob, code);
    },
  ],
  [
    "recovery-at-once",
    "using one recovery code for two logins at the same moment",
    async (target) => {
      const { bob, app } = await withApp(target);
      const begun = [await target.login(bob), await target.login(bob)];
      const [code = ""] = app.recovery;
      const entries = await Promise.all(begun.map(({ challenge }) => target.finish(challenge ?? "", code)));
      return entries.filter(({ session }) => session !== null).length <= 1;
    },
  ],
  [
    "recovery-spelled",
    "using a recovery code again in lower case and without its dashes",
    async (target) => {
      const { bob, app } = await withApp(target);
      const [code = ""] = app.recovery;
      const other = code.toLowerCase().replaceAll("-", "");
      return (await isLetIn(target, bob, code)) && isRefused(target, bob, other);
    },
  ],
  [
    "empty-code",
    "finishing a login with an empty code",
    async (target) => {
      const { bob } = await withApp(target);
      return isRefused(target, bob, "");
    },
  ],
  [
    "digits-of-another-script",
    "finishing a login with the right code in fullwidth digits after it was used",
    async (target) => {
      const { bob, app } = await withApp(target);
      const code = app.code();
      const wide = Array.from(code, (digit) => String.fromCodePoint(0xff10 + Number(digit))).join("");
      return (await isLetIn(target, bob, code)) && isRefused(target, bob, wide);
    },
  ],
  [
    "secret-at-rest",
    "reading a recovery code from the database",
    async (target) => {
      const { app } = await withApp(target);
      const stored = await target.stored();
      return app.recovery.every((code) => !stored.includes(code));
    },
  ],
  [
    "challenge-of-another",
    "finishing the login of somebody else with one's own code and their challenge",
    async (target) => {
      const [{ bob }, eve] = [await withApp(target), await withApp(target, "Eve")];
      const { challenge } = await target.login(bob);
      return (await target.finish(challenge ?? "", eve.app.code())).session === null;
    },
  ],
  [
    "no-challenge",
    "finishing a login that was never begun with a right code",
    async (target) => {
      const { app } = await withApp(target);
      return (await target.finish(`mc_${"a".repeat(43)}`, app.code())).session === null;
    },
  ],
  [
    "app-secret-at-rest",
    "reading the secret of an app from the database",
    async (target) => {
      const { ask } = target.scene();
      const bob = await target.join("Bob");
      const { body } = await ask("POST", `${ACCOUNT}/factors/totp`, { token: bob.session });
      return !(await target.stored()).includes((body as { secret: string }).secret);
    },
  ],
  [
    "swapped-secrets",
    "putting the sealed secret of one's own app into the row of somebody else",
    async (target) => {
      const [{ bob }, eve] = [await withApp(target), await withApp(target, "Eve")];
      const { pool } = target.scene().house.database;
      const mine = await pool.query("select sealed_secret from identity.totp where user_id = $1", [
        eve.bob.id,
      ]);
      const values = [mine.rows[0].sealed_secret, bob.id];
      await pool.query("update identity.totp set sealed_secret = $1 where user_id = $2", values);
      return isRefused(target, bob, eve.app.code());
    },
  ],
  [
    "replace-app",
    "enrolling another app over the one that is there, from a session",
    async (target) => {
      const { bob } = await withApp(target);
      const asking = { token: bob.session };
      return (await target.scene().ask("POST", `${ACCOUNT}/factors/totp`, asking)).status === 409;
    },
  ],
  [
    "unconfirmed-app",
    "finishing a login with an app whose first code was never confirmed",
    async (target) => {
      const { ask } = target.scene();
      const { bob, app } = await withApp(target);
      await ask("DELETE", `${ACCOUNT}/factors/totp`, { token: bob.session });
      await ask("POST", `${ACCOUNT}/factors/totp`, { token: bob.session });
      const { challenge } = await target.login(bob);
      return challenge === null || (await target.finish(challenge, app.code())).session === null;
    },
  ],
  [
    "old-recovery-codes",
    "using a recovery code of the list before the present one",
    async (target) => {
      const { bob, app } = await withApp(target);
      await target.scene().ask("POST", `${ACCOUNT}/factors/recovery-codes`, { token: bob.session });
      return isRefused(target, bob, app.recovery[3] ?? "");
    },
  ],
  [
    "recovery-after-removal",
    "keeping the recovery codes after the last factor was removed and another one enrolled",
    async (target) => {
      const { bob, app } = await withApp(target);
      await target.scene().ask("DELETE", `${ACCOUNT}/factors/totp`, { token: bob.session });
      await target.enrolApp(bob);
      return isRefused(target, bob, app.recovery[3] ?? "");
    },
  ],
  [
    "disabled-between",
    "finishing a login after its owner was disabled",
    async (target) => {
      const { bob, app } = await withApp(target);
      const { challenge } = await target.login(bob);
      await target.scene().admin("POST", `/api/v1/users/${bob.id}/disable`);
      return (await target.finish(challenge ?? "", app.code())).session === null;
    },
  ],
]);
