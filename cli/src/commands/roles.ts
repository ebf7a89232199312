import type { RoleResource } from "@mainstay/api";
import type { Command } from "commander";
import { show, type Context } from "../context.ts";
import { listOption } from "../options.ts";
import { table } from "../output/table.ts";
import type { WithContext } from "./deploy.ts";

/** `mainstay roles …`. */
export function addRoles(program: Command, withContext: WithContext): void {
  const roles = program.command("roles").description("Roles: what may be done by whom it is granted to");
  roles
    .command("list", { isDefault: true })
    .description("Every role, the built-in ones first")
    .action(() => withContext(list));
  roles
    .command("show")
    .argument("<name>")
    .description("What a role permits")
    .addHelpText("after", "\nExample:\n  mainstay roles show operator")
    .action((name: string) => withContext((context) => showOne(context, name)));
  roles
    .command("create")
    .argument("<name>")
    .description("Make a role of permissions that you have yourself; it cannot be altered later")
    .requiredOption("--permission <name>", "as in changes.steer; may be repeated", listOption, [])
    .addHelpText(
      "after",
      "\nExample:\n  mainstay roles create on-call --permission changes.read --permission changes.steer",
    )
    .action((name: string, { permission }: { permission: string[] }) =>
      withContext((context) => create(context, name, permission)),
    );
  roles
    .command("delete")
    .argument("<name>")
    .description("Remove a role that nobody has any more")
    .addHelpText("after", "\nExample:\n  mainstay roles delete on-call")
    .action((name: string) => withContext((context) => remove(context, name)));
}

async function list(context: Context): Promise<void> {
  const { items } = await context.api.get<{ items: RoleResource[] }>("/roles");
  show(context, items, () => {
    const rows = items.map((role) => [
      role.name,
      role.isBuiltIn ? "built in" : "custom",
      String(role.permissions.length),
    ]);
    return `${table(["ROLE", "KIND", "PERMISSIONS"], rows)}\n\nWhat one permits: mainstay roles show <name>`;
  });
}

async function showOne(context: Context, name: string): Promise<void> {
  const role = await context.api.get<RoleResource>(pathOf(name));
  show(context, role, () => role.permissions.join("\n"));
}

async function create(context: Context, name: string, permissions: string[]): Promise<void> {
  const role = await context.api.post<RoleResource>("/roles", { name, permissions });
  show(
    context,
    role,
    () => `${name} is there. Give it to somebody: mainstay grants add <who> --role ${name}`,
  );
}

async function remove(context: Context, name: string): Promise<void> {
  const role = await context.api.remove<RoleResource>(pathOf(name));
  show(context, role, () => `${name} is gone`);
}

function pathOf(name: string): string {
  return `/roles/${encodeURIComponent(name)}`;
}
