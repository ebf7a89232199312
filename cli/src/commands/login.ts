import type { AccountResource, EnteredResource, LoginResource } from "@mainstay/api";
import type { Command } from "commander";
import { CliError, EXIT } from "../cli-error.ts";
import { show, type Context } from "../context.ts";
import { confirmIdentity } from "../login/confirm.ts";
import { keepLogin, renewToken, storedLogin } from "../login/stored-login.ts";
import { askLine } from "../prompts.ts";
import { createSecretLines } from "../secret-lines.ts";
import type { WithContext } from "./deploy.ts";

/** `mainstay login`, `logout`, `whoami` and `step-up`. */
export function addLogin(program: Command, withContext: WithContext): void {
  program
    .command("login")
    .description("Log in; commands act in your name from then on")
    .option("--email <address>", "instead of being asked")
    .addHelpText(
      "after",
      "\nPassword and code are asked for, or read from standard input, one a line; they never stand on a command\nline. The session is kept in ~/.config/mainstay, for this account alone.\n\nExamples:\n  mainstay login --email ann@example.com\n  mainstay login --remote prod\n  pass show mainstay | mainstay login --email ann@example.com",
    )
    .action((options: { email?: string }) => withContext((context) => login(context, options)));
  program
    .command("logout")
    .description("End the session of this machine")
    .action(() => withContext(logout));
  program
    .command("whoami")
    .description("Show in whose name commands act")
    .action(() => withContext(whoami));
  program
    .command("step-up")
    .description("Confirm with a second factor, for what demands a fresh one; it counts for five minutes")
    .addHelpText("after", "\nExample:\n  echo 123456 | mainstay step-up")
    .action(() => withContext(stepUp));
}

async function login(context: Context, options: { email?: string }): Promise<void> {
  const before = await storedLogin(context);
  const email = options.email ?? (await askLine("E-mail address", before?.email ?? null));
  if (email === null) throw new CliError("nobody is here to be asked for the address", EXIT.usage, "Say --email.");
  const lines = createSecretLines();
  const device = before?.email === email ? before.device : null;
  const visit = { transport: "bearer", ...(device === null ? {} : { device }) };
  const password = await lines.secret("Password: ");
  let answer = await context.api.post<LoginResource>("/login", { email, password, ...visit });
  if (answer.state === "second-factor") {
    const code = await lines.secret("Code of your authenticator app, or a recovery code: ");
    const { challenge } = answer;
    answer = await context.api.post<EnteredResource>("/login/second-factor", { challenge, code, ...visit });
  }
  await keepLogin(context, answer);
  tellEntered(context, answer);
}

/** Who is logged in, and what they ought to know; never a token. */
export function tellEntered(context: Context, { user, session, notes }: EnteredResource): void {
  show(context, { user, session, notes }, () =>
    [`Logged in as ${user.name} <${user.email}> at ${context.server.url}`, ...notes].join("\n"),
  );
}

async function logout(context: Context): Promise<void> {
  await context.api.send("DELETE", "/account/sessions/current");
  await renewToken(context.server.url, null);
  show(context, { loggedOut: true }, () => "Logged out.");
}

async function whoami(context: Context): Promise<void> {
  const account = await context.api.get<AccountResource>("/account");
  const { user, session, factors } = account;
  show(context, account, () => {
    const kinds = [
      ...(factors.totp ? ["authenticator app"] : []),
      ...(factors.passkeys.length > 0 ? [`${factors.passkeys.length} passkeys`] : []),
    ];
    return [
      `${user.name} <${user.email}> at ${context.server.url}`,
      `session ${session.id}, until ${session.expiresAt}`,
      `second factors: ${kinds.join(", ") || "none; enrol one: mainstay factors add-app"}`,
    ].join("\n");
  });
}

async function stepUp(context: Context): Promise<void> {
  const { steppedUpAt } = await confirmIdentity(context.api, createSecretLines());
  show(context, { steppedUpAt }, () => "Confirmed; it counts for five minutes.");
}
