import { userInfo } from "node:os";
import path from "node:path";
import { BREAK_GLASS_ENTRY, publicUrlOf } from "@mainstay/server";
import type { Command } from "commander";
import { z } from "zod";
import { CliError, EXIT } from "../cli-error.ts";
import { show, type Context } from "../context.ts";
import { findPatient } from "../doctor/patient.ts";
import { LAYOUT } from "../install/layout.ts";
import { createThisMachine } from "../install/machine.ts";
import type { WithOwnContext } from "./install.ts";

interface BreakGlassOptions {
  user?: string;
  newAdmin: boolean;
  config?: string;
  dataDirectory?: string;
}

const answer = z.union([
  z.object({ ok: z.literal(true), kind: z.string(), link: z.string() }),
  z.object({ ok: z.literal(false), message: z.string(), remedy: z.string() }),
]);

/** `mainstay break-glass`: the way in for who holds the machine and has lost everything else. */
export function addBreakGlass(program: Command, withOwnContext: WithOwnContext): void {
  program
    .command("break-glass")
    .description("On the server's machine: a one-time link for who is locked out; it stands in the audit log")
    .option("--user <email>", "who begins anew, with a new password and without factors")
    .option("--new-admin", "a link that makes another administrator instead", false)
    .option("--config <file>", "instead of mainstay.platform.yaml in this directory, or the installed one")
    .option("--data-directory <path>", "of a platform that was started with it")
    .addHelpText(
      "after",
      "\nNeeds no login, and the rights to open the database: root, or the account of the server. The platform, or at\nleast its PostgreSQL, must run.\n\nExamples:\n  sudo mainstay break-glass --user ann@example.com\n  sudo mainstay break-glass --new-admin",
    )
    .action((options: BreakGlassOptions) => withOwnContext((context) => breakGlass(context, options)));
}

async function breakGlass(context: Context, options: BreakGlassOptions): Promise<void> {
  if ((options.user === undefined) !== options.newAdmin)
    throw new CliError("say who it is for", EXIT.usage, "Give either --user <email> or --new-admin.");
  const machine = createThisMachine();
  const patient = await findPatient(machine, options);
  const config = patient.checked.loaded?.config;
  if (!config) throw new CliError("the configuration is not valid", EXIT.usage, "mainstay doctor says why.");
  const socket = path.join(patient.runtimeDirectory, "postgres");
  const embedded = `postgres://mainstay@${encodeURIComponent(socket)}/mainstay`;
  const isSwitched = patient.isInstalled && config.database.url !== null && process.getuid?.() === 0;
  const { stdout, stderr } = await machine.run([process.execPath, BREAK_GLASS_ENTRY], {
    ...(isSwitched ? { as: LAYOUT.account } : {}),
    input: JSON.stringify({
      databaseUrl: config.database.url ?? embedded,
      dataDirectory: patient.dataDirectory,
      publicUrl: publicUrlOf(config.server),
      linkExpiryMs: config.identity.linkExpiry,
      email: options.user ?? null,
      account: userInfo().username,
    }),
  });
  const read = answer.safeParse(parseJson(stdout));
  if (!read.success) throw new CliError(`it did not work: ${stderr.trim().slice(0, 500)}`, EXIT.failed);
  if (!read.data.ok) throw new CliError(read.data.message, EXIT.failed, read.data.remedy);
  const { kind, link } = read.data;
  show(context, { kind, link }, () =>
    [
      kind === "setup" ? "This link makes another administrator, once:" : `With this link ${options.user} begins anew, once:`,
      `  ${link}`,
      "Open it in a browser, or run: mainstay setup --link <link>. It stands in the audit log.",
    ].join("\n"),
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
