import type { KeyResource, ShownKey } from "@mainstay/api";
import type { Command } from "commander";
import { CliError, EXIT } from "../cli-error.ts";
import { show, type Context } from "../context.ts";
import { durationOption, listOption } from "../options.ts";
import { ago, table, until } from "../output/table.ts";
import type { WithContext } from "./deploy.ts";
import { placeInWords } from "./grants.ts";

interface CreateOptions {
  role?: string;
  permission: string[];
  environment?: string;
  service?: string;
  owner?: string;
  expires?: number;
  allow: string[];
  stepUpExempt: boolean;
}

/** `mainstay keys …`. */
export function addKeys(program: Command, withContext: WithContext): void {
  const keys = program.command("keys").description("API keys: what programs show in place of a person");
  keys
    .command("list", { isDefault: true })
    .description("Your keys; for an administrator all of them")
    .option("--all", "revoked ones too", false)
    .action(({ all }: { all: boolean }) => withContext((context) => list(context, all)));
  addCreating(keys, withContext);
  keys
    .command("rotate")
    .argument("<key>", "its name or id")
    .description("Give a key another secret, shown this once")
    .option("--overlap <duration>", "how long the one before is still accepted", durationOption, 0)
    .addHelpText("after", "\nExample:\n  mainstay keys rotate ci --overlap 1h")
    .action((name: string, { overlap }: { overlap: number }) =>
      withContext((context) => rotate(context, name, overlap)),
    );
  keys
    .command("revoke")
    .argument("<key>", "its name or id")
    .description("End a key at once")
    .addHelpText("after", "\nExample:\n  mainstay keys revoke ci")
    .action((name: string) => withContext((context) => revoke(context, name)));
}

function addCreating(keys: Command, withContext: WithContext): void {
  keys
    .command("create")
    .argument("<name>")
    .description("Make a key that may no more than you; its secret is shown this once")
    .option("--role <name>", "what it may do: see mainstay roles list")
    .option("--permission <name>", "instead of a role; may be repeated", listOption, [])
    .option("--environment <name>", "there alone; everywhere when left out")
    .option("--service <name>", "for it alone; for every service when left out")
    .option("--expires <duration>", "after which it is worth nothing", durationOption)
    .option("--allow <range>", "from where it may be used, as 192.0.2.0/24; may be repeated", listOption, [])
    .option("--owner <who>", 'user:<id>, team:<name> or "platform", instead of you')
    .option("--step-up-exempt", "it need not confirm a second factor", false)
    .addHelpText(
      "after",
      "\nExamples:\n  mainstay keys create ci --role deployer --environment staging --service shop --expires 2160h\n  mainstay keys create scraper --permission metrics.read --allow 192.0.2.7",
    )
    .action((name: string, options: CreateOptions) =>
      withContext((context) => create(context, name, options)),
    );
}

async function list(context: Context, isAll: boolean): Promise<void> {
  const { items } = await context.api.get<{ items: KeyResource[] }>("/keys");
  const keys = isAll ? items : items.filter(({ revokedAt }) => revokedAt === null);
  show(context, keys, () => {
    if (keys.length === 0) return "No keys. Make one: mainstay keys create <name> --role deployer";
    const rows = keys.map((key) => rowOf(key, context.nowMs()));
    return table(["ID", "NAME", "MAY", "OWNER", "FROM", "LAST USE", "EXPIRES"], rows);
  });
}

function rowOf(key: KeyResource, nowMs: number): string[] {
  const may = key.grants.map(
    (grant) => `${grant.role ?? grant.permissions.join(",")} of ${placeInWords(grant)}`,
  );
  const ends = key.expiresAt ? until(key.expiresAt, nowMs) : "never";
  return [
    ...[key.id, key.name, may.join("; ") || "nothing"],
    key.owner ? `${key.owner.type}:${key.owner.id}` : "platform",
    key.allowedAddresses.join(",") || "everywhere",
    key.lastUsedAt ? `${ago(key.lastUsedAt, nowMs)} from ${key.lastUsedFrom}` : "none yet",
    (key.revokedAt ? `revoked ${ago(key.revokedAt, nowMs)}` : ends) +
      (key.stepUpExempt ? ", step-up exempt" : ""),
  ];
}

async function create(context: Context, name: string, options: CreateOptions): Promise<void> {
  const { role, permission, environment, service, owner, expires, allow, stepUpExempt } = options;
  if ((role === undefined) === (permission.length === 0))
    throw new CliError("what may the key do?", EXIT.usage, "Give either --role or --permission.");
  const shown = await context.api.post<ShownKey>("/keys", {
    ...{ name, environment: environment ?? null, service: service ?? null, stepUpExempt },
    ...(role === undefined ? { permissions: permission } : { role }),
    ...(owner === undefined ? {} : { owner: ownerOf(owner) }),
    expiresInSeconds: expires === undefined ? null : Math.ceil(expires / 1000),
    allowedAddresses: allow,
  });
  print(context, shown);
}

function ownerOf(text: string): unknown {
  if (text === "platform") return text;
  const [type, ...rest] = text.split(":");
  return { type, id: rest.join(":") };
}

function print(context: Context, shown: ShownKey): void {
  show(
    context,
    shown,
    () => `${shown.secret}\n\nThis is the only time it is shown. Hand it over as MAINSTAY_TOKEN.`,
  );
}

async function rotate(context: Context, name: string, overlapMs: number): Promise<void> {
  const { id } = await find(context, name);
  const overlapSeconds = Math.ceil(overlapMs / 1000);
  print(context, await context.api.post<ShownKey>(`/keys/${id}/rotate`, { overlapSeconds }));
}

async function revoke(context: Context, name: string): Promise<void> {
  const { id } = await find(context, name);
  const key = await context.api.post<KeyResource>(`/keys/${id}/revoke`);
  show(context, key, () => `${key.name} (${id}) is worth nothing any more`);
}

async function find(context: Context, name: string): Promise<KeyResource> {
  const { items } = await context.api.get<{ items: KeyResource[] }>("/keys");
  const found = items.find((key) => key.id === name || (key.name === name && key.revokedAt === null));
  if (found) return found;
  throw new CliError(
    `there is no key ${name}`,
    EXIT.failed,
    "'mainstay keys list' shows those that there are.",
  );
}
