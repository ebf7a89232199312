import { SUBJECT_TYPES, type GrantResource, type Subject } from "@mainstay/api";
import type { Command } from "commander";
import { CliError, EXIT } from "../cli-error.ts";
import { show, type Context } from "../context.ts";
import { ago, table } from "../output/table.ts";
import type { WithContext } from "./deploy.ts";

interface AddOptions {
  role: string;
  environment?: string;
  service?: string;
}

interface ListOptions {
  subject?: string;
  role?: string;
}

/** `mainstay grants …`: who has which role where. */
export function addGrants(program: Command, withContext: WithContext): void {
  const grants = program.command("grants").description("Grants: who has which role where");
  grants
    .command("list", { isDefault: true })
    .description("Every grant that you may see")
    .option("--subject <who>", "of user:<id>, team:<name> or key:<id>")
    .option("--role <name>", "of one role")
    .addHelpText("after", "\nExample:\n  mainstay grants list --subject team:web")
    .action((options: ListOptions) => withContext((context) => list(context, options)));
  grants
    .command("add")
    .argument("<who>", "user:<id>, team:<name> or key:<id>")
    .description("Give somebody a role; nobody gives what they do not have")
    .requiredOption("--role <name>", "see mainstay roles list")
    .option("--environment <name>", "there alone; everywhere when left out")
    .option("--service <name>", "for it alone; for every service when left out")
    .addHelpText(
      "after",
      "\nExamples:\n  mainstay grants add team:web --role deployer --environment staging\n  mainstay grants add user:usr_0199… --role admin",
    )
    .action((who: string, options: AddOptions) => withContext((context) => add(context, who, options)));
  grants
    .command("remove")
    .argument("<id>", "as mainstay grants list shows it")
    .description("Take a role away")
    .addHelpText("after", "\nExample:\n  mainstay grants remove grt_0199…")
    .action((id: string) => withContext((context) => remove(context, id)));
}

async function list(context: Context, { subject, role }: ListOptions): Promise<void> {
  const meant = subject === undefined ? null : subjectOf(subject);
  const query = new URLSearchParams({
    ...(meant ? { subjectType: meant.type, subject: meant.id } : {}),
    ...(role === undefined ? {} : { role }),
  });
  const { items } = await context.api.get<{ items: GrantResource[] }>(`/grants?${query}`);
  show(context, items, () => {
    if (items.length === 0) return "No such grants. Give a role: mainstay grants add <who> --role <name>";
    const rows = items.map((grant) => [
      ...[grant.id, `${grant.subject.type}:${grant.subject.id}`, roleInWords(grant), placeInWords(grant)],
      `${grant.createdBy.name}, ${ago(grant.createdAt, context.nowMs())}`,
    ]);
    return table(["ID", "WHO", "ROLE", "WHERE", "BY"], rows);
  });
}

async function add(context: Context, who: string, { role, environment, service }: AddOptions): Promise<void> {
  const wish = { subject: subjectOf(who), role, environment: environment ?? null, service: service ?? null };
  const grant = await context.api.post<GrantResource>("/grants", wish);
  show(context, grant, () => `${who} is ${role} of ${placeInWords(grant)} (${grant.id})`);
}

async function remove(context: Context, id: string): Promise<void> {
  const grant = await context.api.remove<GrantResource>(`/grants/${encodeURIComponent(id)}`);
  const { type, id: subject } = grant.subject;
  const where = placeInWords(grant);
  show(context, grant, () => `${type}:${subject} is ${roleInWords(grant)} of ${where} no longer`);
}

/** "team:web" */
function subjectOf(text: string): Subject {
  const [prefix, ...rest] = text.split(":");
  const type = SUBJECT_TYPES.find((each) => each === prefix);
  const id = rest.join(":");
  if (type && id !== "") return { type, id };
  throw new CliError(`${text} is nobody`, EXIT.usage, "Name user:<id>, team:<name> or key:<id>.");
}

function roleInWords({ role, permissions }: Pick<GrantResource, "role" | "permissions">): string {
  return role ?? permissions.join(",");
}

/** "shop in staging", "everything" */
export function placeInWords({
  environment,
  service,
}: Pick<GrantResource, "environment" | "service">): string {
  if (environment === null && service === null) return "everything";
  return `${service ?? "every service"} in ${environment ?? "every environment"}`;
}
