import type { Command } from "commander";
import { show, type Context } from "../context.ts";
import type { WithContext } from "./deploy.ts";

/** `mainstay tokens …`: the keys that sign the platform's short-lived tokens. */
export function addTokens(program: Command, withContext: WithContext): void {
  const tokens = program
    .command("tokens")
    .description("Short-lived tokens of agents and of connections that stay open");
  tokens
    .command("rotate")
    .description("Sign them with a new key from now on")
    .option("--revoke", "refuse all that were made before, at once; whoever had one asks for another", false)
    .addHelpText("after", "\nExamples:\n  mainstay tokens rotate\n  mainstay tokens rotate --revoke")
    .action((options: { revoke: boolean }) => withContext((context) => rotate(context, options)));
}

async function rotate(context: Context, { revoke }: { revoke: boolean }): Promise<void> {
  const { keys } = await context.api.post<{ keys: number }>("/tokens/rotate", { revoke });
  const before = revoke ? "those made before are refused" : "those made before hold until they end";
  show(
    context,
    { rotated: true, revoked: revoke, keys },
    () => `Tokens are signed with a new key; ${before}.`,
  );
}
