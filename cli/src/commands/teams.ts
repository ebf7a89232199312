import type { TeamResource } from "@mainstay/api";
import type { Command } from "commander";
import { show, type Context } from "../context.ts";
import { table } from "../output/table.ts";
import type { WithContext } from "./deploy.ts";

/** `mainstay teams …`. */
export function addTeams(program: Command, withContext: WithContext): void {
  const teams = program.command("teams").description("Teams: what is granted to one, its members have");
  teams
    .command("list", { isDefault: true })
    .description("Every team with its members")
    .action(() => withContext(list));
  teams
    .command("create")
    .argument("<name>")
    .description("Make a team, without members and grants")
    .addHelpText("after", "\nExample:\n  mainstay teams create web && mainstay teams add web usr_…")
    .action((name: string) => withContext((context) => create(context, name)));
  teams
    .command("add")
    .argument("<team>")
    .argument("<user>", "the id of a user")
    .description("Take a user into a team")
    .addHelpText("after", "\nExample:\n  mainstay teams add web usr_0199…")
    .action((name: string, user: string) => withContext((context) => addMember(context, name, user)));
  teams
    .command("remove")
    .argument("<team>")
    .argument("<user>", "the id of a user")
    .description("Take a user out of a team")
    .addHelpText("after", "\nExample:\n  mainstay teams remove web usr_0199…")
    .action((name: string, user: string) => withContext((context) => removeMember(context, name, user)));
  teams
    .command("delete")
    .argument("<name>")
    .description("Remove a team, and with it its grants and its keys")
    .addHelpText("after", "\nExample:\n  mainstay teams delete web")
    .action((name: string) => withContext((context) => remove(context, name)));
}

async function list(context: Context): Promise<void> {
  const { items } = await context.api.get<{ items: TeamResource[] }>("/teams");
  show(context, items, () => {
    if (items.length === 0) return "No teams yet. Make one: mainstay teams create <name>";
    const rows = items.map((team) => [team.name, team.members.map(({ user }) => user).join(", ") || "–"]);
    return table(["TEAM", "MEMBERS"], rows);
  });
}

async function create(context: Context, name: string): Promise<void> {
  const team = await context.api.post<TeamResource>("/teams", { name });
  show(
    context,
    team,
    () =>
      `${name} is there. Next:\n  mainstay teams add ${name} <user>\n  mainstay grants add team:${name} --role deployer`,
  );
}

async function addMember(context: Context, name: string, user: string): Promise<void> {
  const team = await context.api.post<TeamResource>(`${pathOf(name)}/members`, { user });
  show(context, team, () => `${user} is in ${name} and has what is granted to it`);
}

async function removeMember(context: Context, name: string, user: string): Promise<void> {
  const team = await context.api.remove<TeamResource>(`${pathOf(name)}/members/${encodeURIComponent(user)}`);
  show(context, team, () => `${user} is in ${name} no longer`);
}

async function remove(context: Context, name: string): Promise<void> {
  const team = await context.api.remove<TeamResource>(pathOf(name));
  show(context, team, () => `${name} is gone, with its grants and its keys`);
}

function pathOf(name: string): string {
  return `/teams/${encodeURIComponent(name)}`;
}
