import { family } from "./attack.ts";
import type { Target } from "./target.ts";

const NEW = "nine boats in the reeds";
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const ACCOUNT = "/api/v1/account";

const isOver = async (target: Target, session: string) => (await target.whoIs(session)) === null;

async function again(target: Target, { email, password }: { email: string; password: string }) {
  const { session } = await target.login({ email, password });
  if (session === null) throw new Error("the login was refused");
  return session;
}

/** Sessions that others planted, stole, or kept for too long. */
export const SESSIONS = family("sessions", [
  [
    "altered",
    "showing the token of a session with one character changed",
    async (target) => {
      const { session } = await target.join("Bob");
      const at = session.length - 12;
      const other = session[at] === "A" ? "B" : "A";
      return isOver(target, session.slice(0, at) + other + session.slice(at + 1));
    },
  ],
  [
    "after-logout",
    "using the token of a session after its owner has logged out",
    async (target) => {
      const { session } = await target.join("Bob");
      await target.logOut(session);
      return isOver(target, session);
    },
  ],
  [
    "after-end-others",
    "using a stolen session after its owner has ended all others",
    async (target) => {
      const bob = await target.join("Bob");
      const stolen = await again(target, bob);
      await target.endOthers(bob.session);
      return isOver(target, stolen);
    },
  ],
  [
    "after-password-change",
    "using a stolen session after its owner has changed the password",
    async (target) => {
      const bob = await target.join("Bob");
      const stolen = await again(target, bob);
      const kept = await target.changePassword(bob.session, { current: bob.password, password: NEW });
      return kept !== null && isOver(target, stolen);
    },
  ],
  [
    "same-token-after-password-change",
    "using the very token that was shown for a change of the password",
    async (target) => {
      const bob = await target.join("Bob");
      await target.changePassword(bob.session, { current: bob.password, password: NEW });
      return isOver(target, bob.session);
    },
  ],
  [
    "old-password",
    "logging in with the password that was changed",
    async (target) => {
      const bob = await target.join("Bob");
      await target.changePassword(bob.session, { current: bob.password, password: NEW });
      return (await target.login(bob)).session === null;
    },
  ],
  [
    "password-without-current",
    "changing the password from a stolen session with a wrong current one",
    async (target) => {
      const bob = await target.join("Bob");
      return (
        (await target.changePassword(bob.session, { current: "a guess of mine", password: NEW })) === null
      );
    },
  ],
  [
    "fixation",
    "planting the token of a session before a login, and using it afterwards",
    async (target) => {
      const [bob, eve] = [await target.join("Bob"), await target.join("Eve")];
      const headers = { authorization: `Bearer ${eve.session}`, "x-session-id": eve.session };
      const { session } = await target.login(bob, { headers });
      return session !== null && session !== eve.session && (await target.whoIs(eve.session)) === eve.id;
    },
  ],
  [
    "same-token-twice",
    "finding the same token in two logins",
    async (target) => {
      const bob = await target.join("Bob");
      return (await again(target, bob)) !== (await again(target, bob));
    },
  ],
  [
    "absolute-end",
    "keeping a session alive beyond a month by using it every few hours",
    async (target) => {
      const { session } = await target.join("Bob");
      for (let count = 0; count < 62; count += 1) {
        await target.whoIs(session);
        await target.advance(DAY / 2);
      }
      return isOver(target, session);
    },
  ],
  [
    "idle-end",
    "using a session that lay unused for two days",
    async (target) => {
      const { session } = await target.join("Bob");
      await target.advance(2 * DAY);
      return isOver(target, session);
    },
  ],
  [
    "token-at-rest",
    "reading the token of a session from the database",
    async (target) => {
      const { session } = await target.join("Bob");
      return !(await target.stored()).includes(session.replace(/^(ms_|[^=]*=)/, ""));
    },
  ],
  [
    "password-at-rest",
    "reading a password from the database",
    async (target) => {
      const { password } = await target.join("Bob");
      return !(await target.stored()).includes(password);
    },
  ],
  [
    "half-login-as-session",
    "using the challenge of a login that waits for its second factor as a session",
    async (target) => {
      const bob = await target.join("Bob");
      await target.enrolApp(bob);
      const { challenge } = await target.login(bob);
      return challenge !== null && isOver(target, challenge);
    },
  ],
  [
    "half-login-after-password-change",
    "finishing a login whose first half was the password before it was changed",
    async (target) => {
      const bob = await target.join("Bob");
      const { code } = await target.enrolApp(bob);
      const { challenge } = await target.login(bob);
      const kept = await target.changePassword(bob.session, { current: bob.password, password: NEW });
      await target.advance(30_000);
      return kept !== null && (await target.finish(challenge ?? "", code())).session === null;
    },
  ],
  [
    "half-login-late",
    "finishing a login a quarter of an hour after its first half",
    async (target) => {
      const bob = await target.join("Bob");
      const { code } = await target.enrolApp(bob);
      const { challenge } = await target.login(bob);
      await target.advance(15 * MINUTE);
      return (await target.finish(challenge ?? "", code())).session === null;
    },
  ],
  [
    "half-login-twice",
    "finishing one half of a login twice",
    async (target) => {
      const bob = await target.join("Bob");
      const { code } = await target.enrolApp(bob);
      const { challenge } = await target.login(bob);
      await target.finish(challenge ?? "", code());
      await target.advance(30_000);
      return (await target.finish(challenge ?? "", code())).session === null;
    },
  ],
  [
    "hash-as-token",
    "showing the stored hash of a session in place of its token",
    async (target) => {
      const { house, join } = target.scene();
      await join("viewer");
      const { rows } = await house.database.pool.query("select hash from identity.sessions");
      const shown = rows.flatMap(({ hash }) => [hash.toString("base64url"), hash.toString("hex")]);
      const known = await Promise.all(shown.map((hash) => target.whoIs(`ms_${hash}`)));
      return shown.length > 0 && known.every((id) => id === null);
    },
  ],
  [
    "id-as-token",
    "showing the public id of a session in place of its token",
    async (target) => {
      const { session } = await target.scene().join("viewer");
      return (await isOver(target, session.id)) && isOver(target, `ms_${session.id}`);
    },
  ],
  [
    "bearer-as-cookie",
    "putting the token of a program into a browser's cookie",
    async (target) => {
      const { ask, join } = target.scene();
      const { token } = await join("viewer");
      const headers = { cookie: `mainstay_session=${token}` };
      return (await ask("GET", ACCOUNT, { headers })).status === 401;
    },
  ],
  [
    "cookie-as-bearer",
    "showing the token of a stolen cookie as a bearer token, where no page is asked about",
    async (target) => {
      const { header } = await target.cookieOf(await target.join("Bob"));
      return isOver(target, /mainstay_session=([^;]+)/.exec(header)?.[1] ?? "");
    },
  ],
  [
    "sibling-cookie",
    "planting a session under HTTPS with a cookie that a sibling domain could have set",
    async (target) => {
      const { ask, join, house } = target.scene();
      const { user } = await join("viewer");
      const host = "mainstay.example.com";
      const headers = { host, "x-forwarded-for": "203.0.113.5" };
      const body = { email: user.email, password: "seven lamps under water" };
      const { cookies } = await house.ask("POST", "/api/v1/login", { body, headers });
      const own = cookies.find(({ name }) => name === "__Host-mainstay_session");
      const cookie = `mainstay_session=${own?.value}`;
      return (
        own !== undefined && (await ask("GET", ACCOUNT, { headers: { ...headers, cookie } })).status === 401
      );
    },
    { publicHost: "mainstay.example.com" },
  ],
  [
    "somebody-elses-session",
    "ending the session of somebody else by its id",
    async (target) => {
      const { ask, ann, join } = target.scene();
      const { token } = await join("viewer");
      const { status } = await ask("DELETE", `${ACCOUNT}/sessions/${ann.session.id}`, { token });
      return status === 404 && !(await isOver(target, ann.token ?? ""));
    },
  ],
  [
    "after-disable",
    "using a session after its owner was disabled",
    async (target) => {
      const { id, session } = await target.join("Bob");
      await target.scene().admin("POST", `/api/v1/users/${id}/disable`);
      return isOver(target, session);
    },
  ],
  [
    "after-enable",
    "using a session from before its owner was disabled, once they are enabled again",
    async (target) => {
      const { id, session } = await target.join("Bob");
      const { admin } = target.scene();
      await admin("POST", `/api/v1/users/${id}/disable`);
      await admin("POST", `/api/v1/users/${id}/enable`);
      return isOver(target, session);
    },
  ],
  [
    "after-removal",
    "using a session after its owner was removed",
    async (target) => {
      const { id, session } = await target.join("Bob");
      await target.scene().admin("DELETE", `/api/v1/users/${id}`);
      return isOver(target, session);
    },
  ],
  [
    "after-reset",
    "using a session after its owner has begun anew with a link",
    async (target) => {
      const { admin, house } = target.scene();
      const { id, session } = await target.join("Bob");
      const { body } = await admin("POST", `/api/v1/users/${id}/link`);
      await house.redeem((body as { link: string }).link);
      return isOver(target, session);
    },
  ],
  [
    "device-after-reset",
    "passing as a known device with its token after its owner has begun anew",
    async (target) => {
      const { admin, ask, house, join } = target.scene();
      const { user, device } = await join("viewer");
      const { body } = await admin("POST", `/api/v1/users/${user.id}/link`);
      await house.redeem((body as { link: string }).link);
      const given = { email: user.email, password: "seven lamps under water", transport: "bearer", device };
      const entered = await ask("POST", "/api/v1/login", { body: given });
      return JSON.stringify(entered.body).includes("has not been used before");
    },
  ],
  [
    "list-shows-tokens",
    "finding tokens in the list of sessions",
    async (target) => {
      const { ask } = target.scene();
      const { session } = await target.join("Bob");
      const { body } = await ask("GET", `${ACCOUNT}/sessions`, { token: session });
      return !/ms_|hash/.test(JSON.stringify(body));
    },
  ],
  [
    "cached-token",
    "finding the answer of a login in a cache",
    async (target) => {
      const { headers } = await target.scene().house.login("ann@example.com");
      return headers["cache-control"] === "no-store";
    },
  ],
  [
    "unusual-stolen-password",
    "altering who may do what after a login with a stolen password from an unknown device",
    async (target) => {
      const { ask, house } = target.scene();
      const { body } = await house.login("ann@example.com", {}, { address: "203.0.113.77" });
      const { token } = body as { token: string };
      const wish = { token, body: { email: "eve@example.com", name: "Eve", role: "admin" } };
      return (await ask("POST", "/api/v1/users", wish)).status === 403;
    },
  ],
  [
    "impossible-travel",
    "logging in with a stolen password from the other end of the world, minutes later, after failures",
    async (target) => {
      const { house, ann } = target.scene();
      const { email } = ann.user;
      await house.login(email, { device: ann.device }, { address: "192.0.2.1" });
      const far = { address: "203.0.113.1" };
      for (let count = 0; count < 3; count += 1)
        await house.login(email, { password: "a wrong one, truly" }, far);
      return (await house.login(email, {}, far)).status !== 200;
    },
    {
      geo: {
        locate: (address) =>
          address.startsWith("203.") ? { latitude: -33, longitude: 151 } : { latitude: 52, longitude: 13 },
      },
    },
  ],
]);
