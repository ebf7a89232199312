import type { EnteredResource } from "@mainstay/api";
import { readFile, stat } from "node:fs/promises";
import path from "node:path";
import { PASSWORD } from "../identity-house.ts";
import { family } from "./attack.ts";
import type { Scene } from "./scene.ts";

const BY_MACHINE = { actor: { type: "system", id: "root", name: "root" }, requestId: null, address: null };
const OTHER = "nine boats in the reeds";

const redeem = ({ ask }: Scene, link: string, facts: object = {}) =>
  ask("POST", "/api/v1/links/redeem", {
    body: { link: link.split("#")[1], password: PASSWORD, transport: "bearer", ...facts },
  });

const breakGlass = ({ house }: Scene, email: string | null) =>
  house.identity.accounts.breakGlass(email, BY_MACHINE);

/** Links that make the first administrator, let in who was invited, or let begin anew. */
export const LINKS = family("one-time links", [
  [
    "twice",
    "using an invitation twice",
    async (target) => {
      const scene = target.scene();
      const { link } = await scene.invite("viewer");
      await redeem(scene, link);
      return (await redeem(scene, link, { password: OTHER })).status >= 400;
    },
  ],
  [
    "at-once",
    "using an invitation twice at the same moment",
    async (target) => {
      const scene = target.scene();
      const { link } = await scene.invite("viewer");
      const both = await Promise.all([redeem(scene, link), redeem(scene, link, { password: OTHER })]);
      return both.filter(({ status }) => status === 201).length === 1;
    },
  ],
  [
    "expired",
    "using an invitation after its end",
    async (target) => {
      const scene = target.scene();
      const { link } = await scene.invite("viewer");
      await target.advance(72 * 3_600_000);
      return (await redeem(scene, link)).status >= 400;
    },
  ],
  [
    "older",
    "using an invitation after a newer one was made",
    async (target) => {
      const scene = target.scene();
      const { link, user } = await scene.invite("viewer");
      await scene.admin("POST", `/api/v1/users/${user.id}/link`);
      return (await redeem(scene, link)).status >= 400;
    },
  ],
  [
    "removed",
    "using the invitation of somebody who was removed",
    async (target) => {
      const scene = target.scene();
      const { link, user } = await scene.invite("viewer");
      await scene.admin("DELETE", `/api/v1/users/${user.id}`);
      return (await redeem(scene, link)).status >= 400;
    },
  ],
  [
    "disabled",
    "using a link to begin anew after its owner was disabled",
    async (target) => {
      const scene = target.scene();
      const { user } = await scene.join("viewer");
      const { body } = await scene.admin("POST", `/api/v1/users/${user.id}/link`);
      await scene.admin("POST", `/api/v1/users/${user.id}/disable`);
      return (await redeem(scene, (body as { link: string }).link)).status >= 400;
    },
  ],
  [
    "after-password-change",
    "using a link to begin anew after its owner has changed the password",
    async (target) => {
      const scene = target.scene();
      const bob = await target.join("Bob");
      const { body } = await scene.admin("POST", `/api/v1/users/${bob.id}/link`);
      await target.changePassword(bob.session, { current: PASSWORD, password: OTHER });
      return (await redeem(scene, (body as { link: string }).link)).status >= 400;
    },
  ],
  [
    "other-address",
    "accepting an invitation under another address, that of an administrator",
    async (target) => {
      const scene = target.scene();
      const { link, user } = await scene.invite("viewer");
      const { body } = await redeem(scene, link, { email: "ann@example.com" });
      return (body as EnteredResource).user.email === user.email;
    },
  ],
  [
    "wider",
    "accepting an invitation with a role and a state of one's own choice",
    async (target) => {
      const scene = target.scene();
      const { link } = await scene.invite("viewer");
      const { body } = await redeem(scene, link, { role: "admin", kind: "setup", userId: scene.ann.user.id });
      const { token } = body as EnteredResource;
      return (await scene.ask("GET", "/api/v1/users", { token })).status === 403;
    },
  ],
  [
    "key-by-invitation",
    "asking for the key of a setup with an invitation",
    async (target) => {
      const scene = target.scene();
      const { link } = await scene.invite("viewer");
      const { body } = await redeem(scene, link, { wantsKey: true });
      return (body as EnteredResource).key === null;
    },
  ],
  [
    "setup-again",
    "having another setup link made once there is an administrator",
    async (target) => (await target.scene().house.identity.accounts.ensureSetupLink()) === null,
  ],
  [
    "setup-file",
    "finding the setup link where it lay, after it was used",
    async (target) => {
      const file = path.join(target.scene().house.dataDirectory, "keys", "setup.link");
      return readFile(file).then(
        () => false,
        () => true,
      );
    },
  ],
  [
    "at-rest",
    "reading a link from the database",
    async (target) => {
      const { link } = await target.scene().invite("admin");
      return !(await target.stored()).includes(link.split("#")[1] ?? "");
    },
  ],
  [
    "hash-as-link",
    "using what is stored of a link in its place",
    async (target) => {
      const scene = target.scene();
      await scene.invite("admin");
      const { rows } = await scene.house.database.pool.query("select hash from identity.links");
      const shown: string[] = rows.flatMap(({ hash }) => [hash.toString("base64url"), hash.toString("hex")]);
      const answers = await Promise.all(shown.map((hash) => redeem(scene, `#ml_${hash}`)));
      return answers.length > 0 && answers.every(({ status }) => status >= 400);
    },
  ],
  [
    "session-as-link",
    "using the token of a session, a device or a half login as a link",
    async (target) => {
      const scene = target.scene();
      const bob = await scene.join("viewer");
      const answers = await Promise.all(
        [bob.token, bob.device].map((token) => redeem(scene, `#${token?.replace(/^m./, "ml")}`)),
      );
      return answers.every(({ status }) => status >= 400);
    },
  ],
  [
    "in-request",
    "finding the secret of a link in what a browser sends when it opens it",
    async (target) => {
      const { link } = await target.scene().invite("viewer");
      const { pathname, search, hash } = new URL(link);
      return `${pathname}${search}` === "/setup" && hash.length > 43;
    },
  ],
  [
    "host-of-request",
    "having a link made that leads to a server of the attacker's, by the headers of the request",
    async (target) => {
      const { admin, ann } = target.scene();
      const headers = { "x-forwarded-host": "evil.example", "x-forwarded-proto": "https" };
      const { body } = await admin("POST", `/api/v1/users/${ann.user.id}/link`, { headers });
      return (body as { link: string }).link.startsWith("http://localhost:7700/setup#");
    },
  ],
  [
    "weak-password",
    "beginning with a password of eleven characters",
    async (target) => {
      const scene = target.scene();
      const { link } = await scene.invite("viewer");
      return (await redeem(scene, link, { password: "elevenchars" })).status >= 400;
    },
  ],
]);

/** The way in for who holds the machine, taken by who does not. */
export const BREAK_GLASS = family("break-glass", [
  [
    "over-http",
    "breaking the glass over the network",
    async (target) => {
      const { house, admin } = target.scene();
      const isRoute = house.http.routes().some(({ url }) => /glass/.test(url));
      return !isRoute && (await admin("POST", "/api/v1/break-glass", { body: {} })).status === 404;
    },
  ],
  [
    "unseen",
    "breaking the glass without a trace",
    async (target) => {
      const scene = target.scene();
      await breakGlass(scene, null);
      const [entry] = await scene.house.entries("identity.glass_broken");
      return entry?.actor.id === "root";
    },
  ],
  [
    "twice",
    "using the link of a broken glass twice",
    async (target) => {
      const scene = target.scene();
      const { link } = await breakGlass(scene, null);
      const facts = { email: "root@example.com", name: "Root" };
      await redeem(scene, link, facts);
      return (await redeem(scene, link, { ...facts, email: "eve@example.com" })).status >= 400;
    },
  ],
  [
    "takeover",
    "taking over an administrator's address with the link for a new one",
    async (target) => {
      const scene = target.scene();
      const { link } = await breakGlass(scene, null);
      const { status } = await redeem(scene, link, {
        email: "ANN@example.com",
        name: "Eve",
        password: OTHER,
      });
      return (
        status === 409 && (await target.login({ email: "ann@example.com", password: OTHER })).session === null
      );
    },
  ],
  [
    "disabled",
    "beginning anew by the glass as somebody who was disabled",
    async (target) => {
      const scene = target.scene();
      const { user } = await scene.join("viewer");
      await scene.admin("POST", `/api/v1/users/${user.id}/disable`);
      return breakGlass(scene, user.email).then(
        () => false,
        () => true,
      );
    },
  ],
  [
    "factors-remain",
    "keeping factors and sessions that a thief has put there beyond the broken glass",
    async (target) => {
      const scene = target.scene();
      const bob = await target.join("Bob");
      const { recovery } = await target.enrolApp(bob);
      const { link } = await breakGlass(scene, bob.email);
      await redeem(scene, link, { password: OTHER });
      const again = await target.login({ email: bob.email, password: OTHER });
      const isFree = again.challenge === null && recovery.length > 0;
      return isFree && (await target.whoIs(bob.session)) === null;
    },
  ],
  [
    "readable-link",
    "reading the setup link as another account of the machine",
    async (target) => {
      const { house } = target.scene();
      await house.database.pool.query("truncate identity.users cascade");
      await house.identity.accounts.ensureSetupLink();
      const keys = path.join(house.dataDirectory, "keys");
      const modes = [(await stat(path.join(keys, "setup.link"))).mode, (await stat(keys)).mode];
      return modes.every((mode) => (mode & 0o077) === 0);
    },
  ],
]);
