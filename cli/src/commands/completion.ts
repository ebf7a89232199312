import { Argument, type Command } from "commander";
import { z } from "zod";
import { NAME_KINDS, readCommandTree, type NameKind } from "../completion/command-tree.ts";
import { completionScript, SHELLS, type Shell } from "../completion/scripts.ts";
import type { Context } from "../context.ts";
import { readRemotes, remotesPath } from "../remotes.ts";
import type { WithContext } from "./deploy.ts";

/** Nobody waits longer for a key press. */
const PATIENCE_MS = 400;
const NAMES_MAX = 50;
const page = z.object({ items: z.array(z.record(z.string(), z.unknown())) });

/** `mainstay completion`: what a shell needs to know to complete every command. */
export function addCompletion(
  program: Command,
  withContext: WithContext,
  wholeProgram: () => Promise<Command>,
): void {
  const completion = program
    .command("completion")
    .description("Teach your shell to complete mainstay's commands");
  for (const shell of SHELLS) addShell(completion, shell, wholeProgram);
  completion
    .command("names", { hidden: true })
    .addArgument(new Argument("<kind>").choices(NAME_KINDS))
    .action((kind: NameKind) =>
      withContext(async (context) => {
        for (const name of await namesOf(context, kind).catch(() => [])) context.print(name);
      }),
    );
}

const INSTALL: Record<Shell, string> = {
  bash: "mainstay completion bash > ~/.local/share/bash-completion/completions/mainstay",
  zsh: 'mainstay completion zsh > "${fpath[1]}/_mainstay"',
  fish: "mainstay completion fish > ~/.config/fish/completions/mainstay.fish",
};

function addShell(completion: Command, shell: Shell, wholeProgram: () => Promise<Command>): void {
  completion
    .command(shell)
    .description(`The script for ${shell}`)
    .addHelpText("after", `\nExample:\n  ${INSTALL[shell]}`)
    .action(async () => {
      process.stdout.write(completionScript(shell, readCommandTree(await wholeProgram())));
    });
}

/** Names of what exists; none when no server answers at once. */
async function namesOf(context: Context, kind: NameKind): Promise<string[]> {
  if (kind === "remotes")
    return ["local", ...Object.keys((await readRemotes(remotesPath(process.env))).remotes)];
  const path = kind === "services" ? "/services" : `/${kind}?limit=${NAMES_MAX}`;
  const response = await context.api.attempt(path, { signal: AbortSignal.timeout(PATIENCE_MS) });
  const { items } = page.parse(await response.json());
  return [...new Set(items.map((each) => String(kind === "services" ? each["service"] : each["id"])))];
}
