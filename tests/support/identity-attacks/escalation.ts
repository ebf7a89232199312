import type { GrantResource } from "@mainstay/api";
import { family, type Row } from "./attack.ts";
import type { Scene } from "./scene.ts";

const GRANTS = "/api/v1/grants";
const USERS = "/api/v1/users";
const MANAGER = ["access.read", "access.write", "users.read", "users.write"];
const PEOPLE = ["users.read", "users.write"];

/** Somebody who manages access, and may do nothing else, tries something. */
function byManager(
  name: string,
  tries: string,
  act: (scene: Scene, eve: { token: string | null; id: string }) => ReturnType<Scene["ask"]>,
): Row {
  return [
    name,
    tries,
    async (target) => {
      const scene = target.scene();
      const { token, user } = await scene.joinWith(MANAGER, "Eve");
      return (await act(scene, { token, id: user.id })).status === 403;
    },
  ];
}

async function grantsOf({ admin }: Scene, subject: string): Promise<GrantResource[]> {
  const { body } = await admin("GET", `${GRANTS}?subject=${subject}`);
  return (body as { items: GrantResource[] }).items;
}

/** The key of the setup would be an administrator too. */
const revokePlatformsKey = ({ admin, ann }: Scene) =>
  admin("POST", `/api/v1/keys/${(ann.key ?? "").slice(3, 11)}/revoke`, { body: {} });

const isLastAdmin = ({ status, body }: { status: number; body: unknown }) =>
  status === 409 && JSON.stringify(body).includes("LAST_ADMIN");

/** More rights than were given, and nobody left to give any. */
export const ESCALATION = family("privilege escalation", [
  byManager("grant-oneself", "granting oneself a role that one does not hold", ({ ask }, { token, id }) =>
    ask("POST", GRANTS, { token, body: { subject: { type: "user", id }, role: "admin" } }),
  ),
  byManager(
    "grant-in-scope",
    "granting oneself a wider role in one environment only",
    ({ ask }, { token, id }) => {
      const body = { subject: { type: "user", id }, role: "deployer", environment: "production" };
      return ask("POST", GRANTS, { token, body });
    },
  ),
  byManager(
    "grant-own-team",
    "granting a role that one does not hold to a team of one's own",
    async ({ ask }, { token, id }) => {
      await ask("POST", "/api/v1/teams", { token, body: { name: "mine" } });
      await ask("POST", "/api/v1/teams/mine/members", { token, body: { user: id } });
      return ask("POST", GRANTS, { token, body: { subject: { type: "team", id: "mine" }, role: "admin" } });
    },
  ),
  byManager(
    "join-team",
    "taking oneself into a team of administrators",
    async ({ ask, admin }, { token, id }) => {
      await admin("POST", "/api/v1/teams", { body: { name: "admins" } });
      await admin("POST", GRANTS, { body: { subject: { type: "team", id: "admins" }, role: "admin" } });
      return ask("POST", "/api/v1/teams/admins/members", { token, body: { user: id } });
    },
  ),
  byManager("make-role", "making a role with permissions that one does not have", ({ ask }, { token }) =>
    ask("POST", "/api/v1/roles", { token, body: { name: "mine", permissions: ["secrets.reveal"] } }),
  ),
  byManager("invite-admin", "inviting an administrator, and being shown their link", ({ ask }, { token }) =>
    ask("POST", USERS, { token, body: { email: "two@example.com", name: "Two", role: "admin" } }),
  ),
  byManager(
    "link-of-admin",
    "having a link made to begin anew as an administrator",
    ({ ask, ann }, { token }) => ask("POST", `${USERS}/${ann.user.id}/link`, { token }),
  ),
  byManager("disable-admin", "disabling an administrator", ({ ask, ann }, { token }) =>
    ask("POST", `${USERS}/${ann.user.id}/disable`, { token }),
  ),
  byManager("remove-admin", "removing an administrator", ({ ask, ann }, { token }) =>
    ask("DELETE", `${USERS}/${ann.user.id}`, { token }),
  ),
  byManager("end-admins-sessions", "ending the sessions of an administrator", ({ ask, ann }, { token }) =>
    ask("POST", `${USERS}/${ann.user.id}/sessions/end`, { token }),
  ),
  byManager("take-grant", "taking an administrator's role away", async (scene, { token }) => {
    const [grant] = await grantsOf(scene, scene.ann.user.id);
    return scene.ask("DELETE", `${GRANTS}/${grant?.id}`, { token });
  }),
  byManager("key-of-platform", "making a key of the platform that may do more", ({ ask }, { token }) =>
    ask("POST", "/api/v1/keys", { token, body: { name: "mine", role: "admin", owner: "platform" } }),
  ),
  [
    "link-of-invited-admin",
    "having a new link made for an administrator who was invited and has not come yet",
    async (target) => {
      const { ask, invite, joinWith } = target.scene();
      const { user } = await invite("admin", "Two");
      const { token } = await joinWith(PEOPLE, "Eve");
      return (await ask("POST", `${USERS}/${user.id}/link`, { token })).status === 403;
    },
  ],
  [
    "enable-admin",
    "enabling an administrator who was disabled by another one",
    async (target) => {
      const { admin, ask, join, joinWith } = target.scene();
      const { user } = await join("admin", "Two");
      await admin("POST", `${USERS}/${user.id}/disable`);
      const { token } = await joinWith(PEOPLE, "Eve");
      return (await ask("POST", `${USERS}/${user.id}/enable`, { token })).status === 403;
    },
  ],
  [
    "remove-disabled-admin",
    "removing an administrator who is disabled",
    async (target) => {
      const { admin, ask, join, joinWith } = target.scene();
      const { user } = await join("admin", "Two");
      await admin("POST", `${USERS}/${user.id}/disable`);
      const { token } = await joinWith(PEOPLE, "Eve");
      return (await ask("DELETE", `${USERS}/${user.id}`, { token })).status === 403;
    },
  ],
  [
    "invite-without-access",
    "inviting people with a role, by the right over people without the one over access",
    async (target) => {
      const { ask, joinWith } = target.scene();
      const { token } = await joinWith(PEOPLE, "Eve");
      const body = { email: "two@example.com", name: "Two", role: "viewer" };
      return (await ask("POST", USERS, { token, body })).status === 403;
    },
  ],
  [
    "scope-of-grant",
    "granting everywhere what one may grant in one environment",
    async (target) => {
      const { admin, ask, join } = target.scene();
      const { token, user } = await join("viewer", "Eve");
      const subject = { type: "user", id: user.id };
      await admin("POST", GRANTS, { body: { subject, role: "admin", environment: "staging" } });
      return (await ask("POST", GRANTS, { token, body: { subject, role: "admin" } })).status === 403;
    },
  ],
  [
    "scope-of-another",
    "granting in production what one may grant in staging",
    async (target) => {
      const { admin, ask, join } = target.scene();
      const { token, user } = await join("viewer", "Eve");
      const subject = { type: "user", id: user.id };
      await admin("POST", GRANTS, { body: { subject, role: "admin", environment: "staging" } });
      const body = { subject, role: "admin", environment: "production" };
      return (await ask("POST", GRANTS, { token, body })).status === 403;
    },
  ],
  [
    "left-team",
    "keeping what a team may do after one was taken out of it",
    async (target) => {
      const { admin, ask, join } = target.scene();
      const { token, user } = await join("viewer", "Eve");
      await admin("POST", "/api/v1/teams", { body: { name: "web" } });
      await admin("POST", "/api/v1/teams/web/members", { body: { user: user.id } });
      await admin("POST", GRANTS, { body: { subject: { type: "team", id: "web" }, role: "operator" } });
      const before = await ask("GET", "/api/v1/keys", { token });
      await admin("DELETE", `/api/v1/teams/web/members/${user.id}`);
      return before.status === 200 && (await ask("GET", "/api/v1/keys", { token })).status === 403;
    },
  ],
  [
    "team-reborn",
    "getting back what a team might do by making a team of its name anew",
    async (target) => {
      const { admin, ask, join } = target.scene();
      const { token, user } = await join("viewer", "Eve");
      await admin("POST", "/api/v1/teams", { body: { name: "web" } });
      await admin("POST", "/api/v1/teams/web/members", { body: { user: user.id } });
      await admin("POST", GRANTS, { body: { subject: { type: "team", id: "web" }, role: "operator" } });
      await admin("DELETE", "/api/v1/teams/web");
      await admin("POST", "/api/v1/teams", { body: { name: "web" } });
      await admin("POST", "/api/v1/teams/web/members", { body: { user: user.id } });
      return (await ask("GET", "/api/v1/keys", { token })).status === 403;
    },
  ],
  [
    "built-in-role",
    "making a role of one's own under the name of a built-in one",
    async (target) => {
      const body = { name: "viewer", permissions: ["secrets.reveal"] };
      return (await target.scene().admin("POST", "/api/v1/roles", { body })).status === 409;
    },
  ],
  [
    "unknown-permission",
    "making a role with a permission that stands for all of them",
    async (target) => {
      const body = { name: "all", permissions: ["*"] };
      return (await target.scene().admin("POST", "/api/v1/roles", { body })).status === 400;
    },
  ],
  [
    "mass-assignment",
    "making oneself an administrator with more fields than a change of one's name has",
    async (target) => {
      const { ask } = target.scene();
      const { session, id } = await target.join("Eve");
      const body = {
        name: "Eve",
        role: "admin",
        state: "active",
        id: "usr_1",
        permissions: ["access.write"],
      };
      await ask("PATCH", "/api/v1/account", { token: session, body });
      const own = (await target.whoIs(session)) === id;
      return own && (await ask("GET", USERS, { token: session })).status === 403;
    },
  ],
]);

/** Leaving a platform without anybody who may administer it. */
export const LAST_ADMIN = family("last administrator", [
  [
    "disable",
    "disabling the last administrator",
    async (target) => {
      const { admin, ann } = target.scene();
      return isLastAdmin(await admin("POST", `${USERS}/${ann.user.id}/disable`));
    },
  ],
  [
    "remove",
    "removing the last administrator",
    async (target) => {
      const { admin, ann } = target.scene();
      return isLastAdmin(await admin("DELETE", `${USERS}/${ann.user.id}`));
    },
  ],
  [
    "grant",
    "taking the role of the last administrator away, where no key of the platform is left",
    async (target) => {
      const scene = target.scene();
      const { ask, ann } = scene;
      const [grant] = await grantsOf(scene, ann.user.id);
      await revokePlatformsKey(scene);
      return isLastAdmin(await ask("DELETE", `${GRANTS}/${grant?.id}`, { token: ann.token }));
    },
  ],
  [
    "beside-invited",
    "removing the last administrator while another one was only invited",
    async (target) => {
      const { admin, ann, invite } = target.scene();
      await invite("admin", "Two");
      return isLastAdmin(await admin("DELETE", `${USERS}/${ann.user.id}`));
    },
  ],
  [
    "beside-scoped",
    "removing the last administrator while another one is so in one environment alone",
    async (target) => {
      const { admin, ann, join } = target.scene();
      const { user } = await join("viewer", "Two");
      const body = { subject: { type: "user", id: user.id }, role: "admin", environment: "staging" };
      await admin("POST", GRANTS, { body });
      return isLastAdmin(await admin("DELETE", `${USERS}/${ann.user.id}`));
    },
  ],
  [
    "by-team",
    "removing the team that makes the only administrators, where no key of the platform is left",
    async (target) => {
      const scene = target.scene();
      const { admin, ann, ask } = scene;
      await admin("POST", "/api/v1/teams", { body: { name: "admins" } });
      await admin("POST", GRANTS, { body: { subject: { type: "team", id: "admins" }, role: "admin" } });
      await admin("POST", "/api/v1/teams/admins/members", { body: { user: ann.user.id } });
      const own = (await grantsOf(scene, ann.user.id))[0];
      const taken = await admin("DELETE", `${GRANTS}/${own?.id}`);
      await revokePlatformsKey(scene);
      const removed = await ask("DELETE", "/api/v1/teams/admins", { token: ann.token });
      return taken.status === 200 && isLastAdmin(removed);
    },
  ],
  [
    "at-once",
    "disabling two administrators at the same moment, each as the one that is not the last",
    async (target) => {
      const { admin, ann, join } = target.scene();
      const { user } = await join("admin", "Two");
      const both = await Promise.all(
        [ann.user.id, user.id].map((id) => admin("POST", `${USERS}/${id}/disable`)),
      );
      return both.filter(({ status }) => status === 200).length === 1;
    },
  ],
]);
