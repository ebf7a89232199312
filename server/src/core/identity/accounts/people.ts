import { AppError, type UserResource } from "@mainstay/api";
import type { Tx } from "../../../kernel/database/index.ts";
import type { Origin } from "../../../kernel/http/index.ts";
import type { RoleGrant } from "./access-port.ts";
import type { Links } from "./links.ts";
import type { Passwords } from "./passwords.ts";
import type { UserRow } from "./people-store.ts";
import type { AccountsRoom } from "./room.ts";

const LIST_MAX = 1_000;

export interface Invitation extends Omit<RoleGrant, "subject"> {
  email: string;
  name: string;
}

export interface PeopleParts {
  room: AccountsRoom;
  links: Pick<Links, "issue">;
  passwords: Passwords;
  factorsOf(userId: string): Promise<boolean>;
  /** Logins that wait for their second factor. */
  endLogins(tx: Tx, userId: string): Promise<unknown>;
}

export type People = ReturnType<typeof createPeople>;

/** Who may log in. */
export function createPeople({ room, links, passwords, factorsOf, endLogins }: PeopleParts) {
  const { db, clock, ids, audit, access, people, sessions } = room;

  async function show(row: UserRow): Promise<UserResource> {
    return {
      id: row.id,
      email: row.email,
      name: row.name,
      state: row.state,
      hasSecondFactor: await factorsOf(row.id),
      createdAt: row.created_at.toISOString(),
      lastLoginAt: row.last_login_at?.toISOString() ?? null,
    };
  }

  async function demandUser(tx: Tx, id: string): Promise<UserRow> {
    const row = await people.lockUser(tx, id);
    if (!row) throw new AppError("NOT_FOUND", { what: `user ${id}` });
    return row;
  }

  async function find(idOrEmail: string): Promise<UserRow> {
    const row = idOrEmail.includes("@") ? await people.userByEmail(idOrEmail) : await people.user(idOrEmail);
    if (!row) throw new AppError("NOT_FOUND", { what: `user ${idOrEmail}` });
    return row;
  }

  /** Disables or enables, with everything that follows from it. */
  async function setState(id: string, state: "active" | "disabled", origin: Origin): Promise<UserResource> {
    await db.transaction().execute(async (tx) => {
      const before = await demandUser(tx, id);
      if (before.state === "invited" || before.state === state)
        throw new AppError("ACCOUNT_STATE", { email: before.email, state: before.state });
      await people.updateUser(tx, id, { state });
      await (state === "disabled" ? access.suspend(tx, id) : access.resume(tx, id));
      if (state === "disabled") {
        await sessions.deleteAll(tx, id);
        await people.deleteLinks(tx, { userId: id });
        await access.assertAdminRemains(tx);
      }
      await audit.record(tx, {
        ...origin,
        action: state === "disabled" ? "identity.user_disabled" : "identity.user_enabled",
        resource: { type: "user", id },
        before: { state: before.state },
        after: { state },
      });
    });
    await access.refresh();
    return show(await find(id));
  }

  return {
    find: async (idOrEmail: string) => show(await find(idOrEmail)),
    list: async () => Promise.all((await people.users(LIST_MAX)).map(show)),
    disable: (id: string, origin: Origin) => setState(id, "disabled", origin),
    enable: (id: string, origin: Origin) => setState(id, "active", origin),

    /** A user who can do nothing until the link was used; the role is granted now and waits with them. */
    async invite({ email, name, ...grant }: Invitation, origin: Origin) {
      const invited = await db.transaction().execute(async (tx) => {
        const id = ids.next("usr");
        const facts = { id, email, name, state: "invited" as const, created_at: clock.now() };
        const row: UserRow = { ...facts, password_hash: null, last_login_at: null };
        if (!(await people.insertUser(tx, row))) throw new AppError("ACCOUNT_EXISTS", { email });
        await access.grant(tx, { subject: { type: "user", id }, ...grant }, origin);
        await access.suspend(tx, id);
        await audit.record(tx, {
          ...origin,
          action: "identity.user_invited",
          resource: { type: "user", id },
          after: { email, name, ...grant },
        });
        const link = await links.issue(tx, { kind: "invitation", userId: id });
        return { id, link };
      });
      await access.refresh();
      return { user: await show(await find(invited.id)), link: invited.link };
    },

    async remove(id: string, origin: Origin): Promise<void> {
      await db.transaction().execute(async (tx) => {
        const before = await demandUser(tx, id);
        await access.suspend(tx, id);
        await access.assertAdminRemains(tx);
        await access.forget(tx, id, origin);
        await people.deleteUser(tx, id);
        await audit.record(tx, {
          ...origin,
          action: "identity.user_removed",
          resource: { type: "user", id },
          before: { email: before.email, name: before.name, state: before.state },
        });
      });
      await access.refresh();
    },

    async rename(id: string, name: string, origin: Origin): Promise<UserResource> {
      await db.transaction().execute(async (tx) => {
        const before = await demandUser(tx, id);
        await people.updateUser(tx, id, { name });
        await audit.record(tx, {
          ...origin,
          action: "identity.user_renamed",
          resource: { type: "user", id },
          before: { name: before.name },
          after: { name },
        });
      });
      return show(await find(id));
    },

    /** The other sessions end: whoever knew the password before is out. */
    async changePassword(
      { user, session, password }: { user: UserRow; session: string; password: string },
      origin: Origin,
    ): Promise<void> {
      await passwords.demandStrong(password, [user.email, user.name, "mainstay"]);
      const passwordHash = await passwords.hash(password);
      await db.transaction().execute(async (tx) => {
        await people.updateUser(tx, user.id, { password_hash: passwordHash });
        await people.deleteLinks(tx, { userId: user.id });
        await endLogins(tx, user.id);
        const ended = await sessions.deleteAll(tx, user.id, session);
        await audit.record(tx, {
          ...origin,
          action: "identity.password_changed",
          resource: { type: "user", id: user.id },
          after: { sessionsEnded: ended.length },
        });
      });
    },
  };
}
