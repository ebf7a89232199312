import type { FactorsResource, SessionResource, TotpSecret } from "@mainstay/api";
import type { Command } from "commander";
import { show, type Context } from "../context.ts";
import { renewToken } from "../login/stored-login.ts";
import { table } from "../output/table.ts";
import { CliError, EXIT } from "../cli-error.ts";
import { createSecretLines } from "../secret-lines.ts";
import type { WithContext } from "./deploy.ts";

/** `mainstay password`, `sessions …` and `factors …`: one's own account. */
export function addAccount(program: Command, withContext: WithContext): void {
  program
    .command("password")
    .description("Change your password; your other sessions end")
    .action(() => withContext(changePassword));
  const sessions = program.command("sessions").description("Where you are logged in");
  sessions
    .command("list", { isDefault: true })
    .description("Every session: with what, from where, used when")
    .action(() => withContext(listSessions));
  sessions
    .command("end")
    .argument("<id>", 'the session; "others" for all but this one')
    .description("End a session of yours")
    .action((id: string) => withContext((context) => endSession(context, id)));
  const factors = program.command("factors").description("What you confirm with beside your password");
  factors
    .command("list", { isDefault: true })
    .description("Which second factors are enrolled")
    .action(() => withContext(listFactors));
  factors
    .command("add-app")
    .description(
      "Enrol an authenticator app; prints its secret, asks for a first code, answers recovery codes",
    )
    .action(() => withContext(addApp));
  factors
    .command("remove-app")
    .description("Remove the authenticator app")
    .action(() => withContext(removeApp));
  factors
    .command("passkeys")
    .description("Your passkeys, when each was added and used; adding one takes a browser, which holds it")
    .action(() => withContext(listPasskeys));
  factors
    .command("remove-passkey")
    .argument("<passkey>", "its name or id")
    .description("Remove a passkey, such as that of a device that is gone")
    .addHelpText("after", "\nExample:\n  mainstay factors remove-passkey laptop")
    .action((name: string) => withContext((context) => removePasskey(context, name)));
  factors
    .command("recovery-codes")
    .description("Ten new recovery codes; those before are void")
    .action(() => withContext(renewCodes));
}

async function changePassword(context: Context): Promise<void> {
  const lines = createSecretLines();
  const current = await lines.secret("Present password: ");
  const password = await lines.secret("New password: ");
  const { token } = await context.api.post<{ token: string | null }>("/account/password", {
    current,
    password,
  });
  if (token !== null) await renewToken(context.server.url, token);
  show(context, { changed: true }, () => "The password is changed; your other sessions have ended.");
}

async function listSessions(context: Context): Promise<void> {
  const page = await context.api.get<{ items: SessionResource[] }>("/account/sessions");
  show(context, page, () =>
    table(
      ["SESSION", "WITH", "FROM", "PROVED BY", "LAST USED", ""],
      page.items.map((each) => [
        ...[each.id, each.agent, each.address, each.methods.join(" + "), each.lastUsedAt],
        each.isCurrent ? "this one" : "",
      ]),
    ),
  );
}

async function endSession(context: Context, id: string): Promise<void> {
  if (id !== "others") {
    await context.api.send("DELETE", `/account/sessions/${encodeURIComponent(id)}`);
    return show(context, { id, ended: true }, () => `${id} has ended`);
  }
  const { ended } = await context.api.post<{ ended: number }>("/account/sessions/end-others");
  show(context, { ended }, () => `${ended} other sessions have ended`);
}

async function listFactors(context: Context): Promise<void> {
  const factors = await context.api.get<FactorsResource>("/account/factors");
  show(context, factors, () =>
    [
      `authenticator app   ${factors.totp ? "enrolled" : "none; add one: mainstay factors add-app"}`,
      `passkeys            ${factors.passkeys.map(({ name }) => name).join(", ") || "none"}`,
      `recovery codes      ${factors.recoveryCodesLeft} left`,
    ].join("\n"),
  );
}

async function addApp(context: Context): Promise<void> {
  const secret = await context.api.post<TotpSecret>("/account/factors/totp");
  // Not a part of the document: whoever confirms needs it before there is one.
  process.stderr.write(`Add this to your authenticator app:\n  ${secret.secret}\n  ${secret.uri}\n`);
  const code = await createSecretLines().secret("The code it shows: ");
  showCodes(context, await context.api.post<{ codes: string[] }>("/account/factors/totp/confirm", { code }));
}

async function removeApp(context: Context): Promise<void> {
  await context.api.send("DELETE", "/account/factors/totp");
  show(context, { removed: true }, () => "The authenticator app is removed.");
}

async function listPasskeys(context: Context): Promise<void> {
  const { passkeys } = await context.api.get<FactorsResource>("/account/factors");
  show(context, { items: passkeys }, () => {
    if (passkeys.length === 0) return `No passkeys; one is added in a browser: ${context.server.url}`;
    const rows = passkeys.map((each) => [each.id, each.name, each.createdAt, each.lastUsedAt ?? "never"]);
    return table(["PASSKEY", "NAME", "ADDED", "LAST USED"], rows);
  });
}

async function removePasskey(context: Context, name: string): Promise<void> {
  const { passkeys } = await context.api.get<FactorsResource>("/account/factors");
  const found = passkeys.filter((each) => each.id === name || each.name === name);
  const [passkey] = found;
  if (passkey === undefined || found.length > 1) {
    const what =
      found.length > 1 ? `${found.length} passkeys are named ${name}` : `you have no passkey ${name}`;
    throw new CliError(what, EXIT.usage, "'mainstay factors passkeys' shows their ids.");
  }
  await context.api.send("DELETE", `/account/passkeys/${encodeURIComponent(passkey.id)}`);
  show(context, { id: passkey.id, removed: true }, () => `The passkey ${passkey.name} is removed.`);
}

async function renewCodes(context: Context): Promise<void> {
  showCodes(context, await context.api.post<{ codes: string[] }>("/account/factors/recovery-codes"));
}

function showCodes(context: Context, answer: { codes: string[] }): void {
  show(context, answer, () =>
    ["Recovery codes, shown this once; each works once:", ...answer.codes.map((code) => `  ${code}`)].join(
      "\n",
    ),
  );
}
