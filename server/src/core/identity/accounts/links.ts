import { AppError } from "@mainstay/api";
import type { Origin } from "../../../kernel/http/index.ts";
import type { Tx } from "../../../kernel/database/index.ts";
import { hashToken, makeToken } from "../domain/tokens.ts";
import type { Entered, Entrance } from "./entrance.ts";
import type { Passwords } from "./passwords.ts";
import type { LinkKind, LinkRow, UserRow } from "./people-store.ts";
import type { Refusals } from "./refusals.ts";
import { actorOf, type AccountsRoom, type Visitor } from "./room.ts";
import { linkTo, readSetupLink, removeSetupLink, tokenOfLink, writeSetupLink } from "./setup-link.ts";

export interface Redeeming {
  link: string;
  password: string;
  /** Needed by the setup; an invitation knows it. */
  email?: string | undefined;
  name?: string | undefined;
  /** Of a setup only: a key that may do everything, for programs. */
  wantsKey: boolean;
}

export interface LinksParts {
  room: AccountsRoom;
  passwords: Passwords;
  entrance: Entrance;
  refusals: Refusals;
  /** Takes out every second factor of a user who begins anew. */
  forgetFactors(tx: Tx, userId: string): Promise<void>;
  dataDirectory: string;
  publicUrl: string;
}

const SYSTEM = { type: "system", id: "mainstay", name: "Mainstay" };
/** A link of the machine itself counts as strong: whoever reads its files could do anything anyway. */
const NOTHING_UNUSUAL = { decision: "allow" as const, reasons: [], score: 0 };

export type Links = ReturnType<typeof createLinks>;

/** One-time links: they make the first admin, let in who was invited, and let begin anew who lost everything. */
export function createLinks(parts: LinksParts) {
  const { room, passwords, entrance, refusals, dataDirectory, publicUrl } = parts;
  const { db, clock, random, ids, audit, config, access, people, sessions } = room;

  /** Makes a link within a transaction; those for the same user before it are void. */
  async function issue(tx: Tx, { kind, userId }: { kind: LinkKind; userId: string | null }): Promise<string> {
    const token = makeToken(random, "link");
    const now = clock.now();
    const expiresAt = new Date(now.getTime() + config.linkExpiry);
    await people.deleteLinks(tx, userId === null ? { kind } : { userId });
    await people.insertLink(tx, { hash: token.hash, kind, user_id: userId, created_at: now, expires_at: expiresAt });
    return linkTo(publicUrl, token.text);
  }

  /** The link for the first admin if there is nobody yet; null when it was there already, or is not needed. */
  async function ensureSetupLink(): Promise<string | null> {
    return db.transaction().execute(async (tx) => {
      await people.lockSetup(tx);
      if (await people.hasUsers(tx)) return null;
      const kept = await readSetupLink(dataDirectory);
      if (kept !== null && (await people.link(hashToken(tokenOfLink(kept)), clock.now()))) return null;
      const link = await issue(tx, { kind: "setup", userId: null });
      await audit.record(tx, {
        actor: SYSTEM,
        action: "identity.setup_link_made",
        resource: { type: "platform", id: "mainstay" },
        reason: "nobody can log in yet",
      });
      // Before the commit: a link that nobody could learn must not be the only one.
      await writeSetupLink(dataDirectory, link);
      return link;
    });
  }

  async function find(link: string): Promise<{ row: LinkRow; user: UserRow | null }> {
    const row = await people.link(hashToken(tokenOfLink(link)), clock.now());
    const user = row?.user_id ? ((await people.user(row.user_id)) ?? null) : null;
    if (!row) throw new AppError("LINK_INVALID");
    return { row, user };
  }

  /** Makes the password and lets its owner in. */
  async function redeem(given: Redeeming, visitor: Visitor): Promise<{ entered: Entered; key: string | null }> {
    const { row, user } = await find(given.link).catch(async (error: unknown) => {
      if (error instanceof AppError) await refusals.refused({ reason: "link", user: null, visitor });
      throw error;
    });
    const email = user?.email ?? demandField(given.email, "email");
    const name = given.name ?? (user && user.state !== "invited" ? user.name : undefined);
    const fullName = demandField(name ?? (user?.name || undefined), "name");
    await passwords.demandStrong(given.password, [email, fullName, "mainstay"]);
    const passwordHash = await passwords.hash(given.password);
    const facts = { email, name: fullName, passwordHash };
    const entered = await db.transaction().execute(async (tx) => {
      // Taken out here: of two who come at once, one is too late.
      if (!(await people.takeLink(tx, row.hash, clock.now()))) throw new AppError("LINK_INVALID");
      const person = await settle(tx, { row, facts, visitor });
      const proof = { methods: ["link"], isSteppedUp: true, risk: NOTHING_UNUSUAL, place: null };
      return entrance.enterWithin(tx, { user: person, visitor, ...proof });
    });
    await access.refresh();
    refusals.letIn();
    if (row.kind !== "setup") return { entered, key: null };
    await removeSetupLink(dataDirectory);
    const origin = { actor: actorOf(entered.user), requestId: visitor.requestId, address: visitor.address };
    return { entered, key: given.wantsKey ? await access.makeAdminKey(origin) : null };
  }

  interface Settling {
    row: LinkRow;
    facts: { email: string; name: string; passwordHash: string };
    visitor: Visitor;
  }

  /** The user as the link makes them. */
  async function settle(tx: Tx, { row, facts, visitor }: Settling): Promise<UserRow> {
    const person =
      row.kind === "setup" ? await makeFirst(tx, facts, visitor) : await renew(tx, row.user_id ?? "", facts);
    await audit.record(tx, {
      actor: actorOf(person),
      action: { setup: "identity.set_up", invitation: "identity.joined", reset: "identity.reset" }[row.kind],
      resource: { type: "user", id: person.id },
      after: { name: person.name, state: person.state },
      requestId: visitor.requestId,
      address: visitor.address,
    });
    return person;
  }

  async function makeFirst(tx: Tx, facts: Settling["facts"], visitor: Visitor): Promise<UserRow> {
    await people.lockSetup(tx);
    const person: UserRow = {
      id: ids.next("usr"),
      email: facts.email,
      name: facts.name,
      state: "active",
      password_hash: facts.passwordHash,
      created_at: clock.now(),
      last_login_at: null,
    };
    if (!(await people.insertUser(tx, person))) throw new AppError("ACCOUNT_EXISTS", { email: facts.email });
    const origin = { actor: actorOf(person), requestId: visitor.requestId, address: visitor.address };
    const everywhere = { environment: null, service: null };
    const subject = { type: "user" as const, id: person.id };
    await access.grant(tx, { subject, role: "admin", ...everywhere }, origin);
    return person;
  }

  /** Whoever was invited becomes active; whoever begins anew loses sessions, devices and factors. */
  async function renew(tx: Tx, userId: string, facts: Settling["facts"]): Promise<UserRow> {
    const before = await people.lockUser(tx, userId);
    if (!before || before.state === "disabled") throw new AppError("LINK_INVALID");
    const change = { name: facts.name, state: "active" as const, password_hash: facts.passwordHash };
    await people.updateUser(tx, userId, change);
    await access.resume(tx, userId);
    await people.deleteLinks(tx, { userId });
    await sessions.deleteAll(tx, userId);
    await sessions.deleteDevices(tx, userId);
    await parts.forgetFactors(tx, userId);
    return { ...before, ...change };
  }

  return {
    ensureSetupLink,
    issue,
    redeem,
    /** What a link is for, so that the page can ask for what is needed. */
    async look(link: string) {
      const { row, user } = await find(link);
      return { kind: row.kind, email: user?.email ?? null, name: user?.name ?? null };
    },
    /**
     * The way in for who holds the machine and has lost everything else: a link for one user to begin anew, or, for
     * nobody, one that makes another administrator.
     */
    async breakGlass(email: string | null, origin: Origin): Promise<{ kind: LinkKind; link: string }> {
      return db.transaction().execute(async (tx) => {
        const user = email === null ? null : await people.userByEmail(email);
        if (user === undefined) throw new AppError("NOT_FOUND", { what: `user ${email}` });
        if (user?.state === "disabled") throw new AppError("ACCOUNT_STATE", { email: user.email, state: user.state });
        const kind = user === null ? "setup" : "reset";
        await audit.record(tx, {
          ...origin,
          action: "identity.glass_broken",
          resource: user === null ? { type: "platform", id: "mainstay" } : { type: "user", id: user.id },
          after: { kind },
          reason: "break-glass on the machine of the server",
        });
        return { kind, link: await issue(tx, { kind, userId: user?.id ?? null }) };
      });
    },
    /** A new link for a user, by whoever may hand one out; nothing changes before it is used. */
    async reissue(userId: string, origin: Origin): Promise<string> {
      return db.transaction().execute(async (tx) => {
        const user = await people.lockUser(tx, userId);
        if (!user) throw new AppError("NOT_FOUND", { what: `user ${userId}` });
        const { state, email } = user;
        if (state === "disabled") throw new AppError("ACCOUNT_STATE", { email, state });
        const kind = state === "invited" ? "invitation" : "reset";
        await audit.record(tx, {
          ...origin,
          action: "identity.link_made",
          resource: { type: "user", id: userId },
          after: { kind },
        });
        return issue(tx, { kind, userId });
      });
    },
  };
}

function demandField(value: string | undefined, name: "email" | "name"): string {
  if (value !== undefined && value.trim() !== "") return value.trim();
  const errors = [{ path: `body.${name}`, message: "is needed here" }];
  throw new AppError("REQUEST_INVALID", {}, { errors });
}
