import type { InvitedResource, UserResource } from "@mainstay/api";
import type { Command } from "commander";
import { show, type Context } from "../context.ts";
import { table } from "../output/table.ts";
import type { WithContext } from "./deploy.ts";

interface InviteOptions {
  name: string;
  role: string;
  environment?: string;
  service?: string;
}

/** `mainstay users …`: who may log in. */
export function addUsers(program: Command, withContext: WithContext): void {
  const users = program.command("users").description("Who may log in: invite, disable, remove");
  users
    .command("list")
    .description("Everybody, with state and last login")
    .action(() => withContext(list));
  users
    .command("invite")
    .argument("<email>", "the address of the new user")
    .requiredOption("--name <name>", "what to call them")
    .requiredOption("--role <role>", "what they may do: viewer, operator, deployer, admin or a role of yours")
    .option("--environment <name>", "in this environment only")
    .option("--service <name>", "with this service only")
    .description("Invite somebody; prints a one-time link to hand to them")
    .addHelpText("after", "\nExample:\n  mainstay users invite bob@example.com --name Bob --role deployer")
    .action((email: string, options: InviteOptions) =>
      withContext((context) => invite(context, { email, ...options })),
    );
  users
    .command("reset")
    .argument("<user>", "id or e-mail address")
    .description("Make a new one-time link for who lost password or factors")
    .action((user: string) => withContext((context) => reset(context, user)));
  for (const verb of ["disable", "enable"] as const) {
    users
      .command(verb)
      .argument("<user>", "id or e-mail address")
      .description(verb === "disable" ? "Keep somebody out; their sessions end at once" : "Let somebody in again")
      .action((user: string) => withContext((context) => setState(context, user, verb)));
  }
  users
    .command("remove")
    .argument("<user>", "id or e-mail address")
    .description("Remove somebody, with everything that was granted to them")
    .action((user: string) => withContext((context) => remove(context, user)));
  users
    .command("end-sessions")
    .argument("<user>", "id or e-mail address")
    .description("Log somebody out everywhere")
    .action((user: string) => withContext((context) => endSessions(context, user)));
}

const at = (user: string) => `/users/${encodeURIComponent(user)}`;

async function list(context: Context): Promise<void> {
  const page = await context.api.get<{ items: UserResource[] }>("/users");
  show(context, page, () =>
    table(
      ["USER", "NAME", "STATE", "SECOND FACTOR", "LAST LOGIN", "ID"],
      page.items.map((each) => [
        ...[each.email, each.name, each.state, each.hasSecondFactor ? "yes" : "no"],
        ...[each.lastLoginAt ?? "never", each.id],
      ]),
    ),
  );
}

async function invite(context: Context, wish: InviteOptions & { email: string }): Promise<void> {
  const invited = await context.api.post<InvitedResource>("/users", wish);
  show(context, invited, () =>
    [
      `${invited.user.name} is invited. The link works once:`,
      `  ${invited.link}`,
      "They open it in a browser, or run: mainstay setup --link <link>",
    ].join("\n"),
  );
}

async function reset(context: Context, user: string): Promise<void> {
  const issued = await context.api.post<{ link: string }>(`${at(user)}/link`);
  show(context, issued, () => `The link works once; with it they begin anew, without factors:\n  ${issued.link}`);
}

async function setState(context: Context, user: string, verb: "disable" | "enable"): Promise<void> {
  const after = await context.api.post<UserResource>(`${at(user)}/${verb}`);
  show(context, after, () => `${after.email} is ${after.state}`);
}

async function remove(context: Context, user: string): Promise<void> {
  await context.api.send("DELETE", at(user));
  show(context, { user, removed: true }, () => `${user} is removed`);
}

async function endSessions(context: Context, user: string): Promise<void> {
  const { ended } = await context.api.post<{ ended: number }>(`${at(user)}/sessions/end`);
  show(context, { user, ended }, () => `${ended} sessions of ${user} have ended`);
}
