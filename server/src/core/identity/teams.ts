import { AppError, type TeamResource } from "@mainstay/api";
import type { Tx } from "../../kernel/database/index.ts";
import type { MemberRow, TeamRow } from "./access-store.ts";
import {
  alter,
  assertAdminRemains,
  demandGrantHeld,
  type AccessDependencies,
  type By,
} from "./alteration.ts";

const TEAMS_MAX = 200;
const MEMBERS_MAX = 1_000;

export type Teams = ReturnType<typeof createTeams>;

/** Teams: what is granted to one is granted to each of its members. */
export function createTeams(dependencies: AccessDependencies) {
  const { store, book, audit, clock } = dependencies;
  const resource = (name: string) => ({ resource: { type: "team", id: name } });

  async function list(): Promise<TeamResource[]> {
    const { teams, members } = await book.page();
    return teams.map((row) => toTeam(row, members));
  }

  async function show(name: string): Promise<TeamResource> {
    const team = (await list()).find((each) => each.name === name);
    if (!team) throw new AppError("NOT_FOUND", { what: `team ${name}` });
    return team;
  }

  async function mustBeThere(tx: Tx, name: string): Promise<TeamRow> {
    const row = await store.team(tx, name);
    if (!row) throw new AppError("NOT_FOUND", { what: `team ${name}` });
    return row;
  }

  /** Joining a team is being granted all it has, and leaving it is losing that. */
  async function demandAllOf(tx: Tx, team: string, by: By): Promise<void> {
    for (const grant of await store.grantsOf(tx, "team", team)) {
      await demandGrantHeld(store, tx, { grant, can: by.can });
    }
  }

  async function create(name: string, by: By): Promise<TeamResource> {
    const row: TeamRow = { name, created_at: clock.now(), created_by: by.origin.actor };
    await alter(dependencies, async (tx) => {
      if (await store.team(tx, name)) throw new AppError("ACCESS_EXISTS", { what: `team ${name}` });
      const count = await store.countTeams(tx);
      if (count >= TEAMS_MAX) throw new AppError("ACCESS_LIMIT", { count, what: "teams" });
      await store.insertTeam(tx, row);
      await audit.record(tx, { ...by.origin, ...resource(name), action: "identity.team_created", after: {} });
    });
    return toTeam(row, []);
  }

  /** With its memberships, its grants and its keys. */
  async function remove(name: string, by: By): Promise<TeamResource> {
    const team = await show(name);
    await alter(dependencies, async (tx) => {
      await mustBeThere(tx, name);
      await demandAllOf(tx, name, by);
      const grants = await store.grantsOf(tx, "team", name);
      const keys = await store.keysOwnedBy(tx, { type: "team", id: name });
      for (const id of keys) await store.updateKey(tx, id, { revoked_at: clock.now() });
      await store.removeGrantsOf(tx, "team", name);
      await store.removeTeam(tx, name);
      if (grants.some(({ role }) => role === "admin")) await assertAdminRemains(store, tx);
      const members = team.members.map(({ user }) => user);
      const before = { members, grants: grants.map(({ id }) => id), ownedIds: keys };
      await audit.record(tx, { ...by.origin, ...resource(name), action: "identity.team_removed", before });
    });
    return team;
  }

  async function addMember(name: string, user: string, by: By): Promise<TeamResource> {
    await alter(dependencies, async (tx) => {
      await mustBeThere(tx, name);
      await demandAllOf(tx, name, by);
      const members = await store.members(tx, name);
      if (members.some((row) => row.user_id === user))
        throw new AppError("ACCESS_EXISTS", { what: `${user} in team ${name}` });
      if (members.length >= MEMBERS_MAX)
        throw new AppError("ACCESS_LIMIT", { count: members.length, what: `members of ${name}` });
      await store.insertMember(tx, { team: name, user_id: user, added_at: clock.now() });
      const after = { user };
      await audit.record(tx, { ...by.origin, ...resource(name), action: "identity.member_added", after });
    });
    return show(name);
  }

  async function removeMember(name: string, user: string, by: By): Promise<TeamResource> {
    await alter(dependencies, async (tx) => {
      await mustBeThere(tx, name);
      await demandAllOf(tx, name, by);
      if ((await store.removeMembers(tx, { team: name, user_id: user })) === 0)
        throw new AppError("NOT_FOUND", { what: `${user} in team ${name}` });
      const grants = await store.grantsOf(tx, "team", name);
      if (grants.some(({ role }) => role === "admin")) await assertAdminRemains(store, tx);
      const before = { user };
      await audit.record(tx, { ...by.origin, ...resource(name), action: "identity.member_removed", before });
    });
    return show(name);
  }

  return { list, show, create, remove, addMember, removeMember };
}

function toTeam({ name, created_at, created_by }: TeamRow, members: readonly MemberRow[]): TeamResource {
  return {
    name,
    members: members
      .filter(({ team }) => team === name)
      .map(({ user_id, added_at }) => ({ user: user_id, addedAt: added_at.toISOString() })),
    ...{ createdAt: created_at.toISOString(), createdBy: created_by },
  };
}
