import type { ChangeResource } from "@mainstay/api";
import type { Command } from "commander";
import { show, type Context } from "../context.ts";
import { awaitedWords } from "../output/approval-words.ts";
import type { WithContext } from "./deploy.ts";

interface ApproveOptions {
  reason?: string;
  plan?: string;
}

/** `mainstay change approve` and `reject`: for changes that wait for somebody else. */
export function addApprovals(change: Command, withContext: WithContext): void {
  change
    .command("approve <id>")
    .description("Approve of a change that waits for it, as its plan is now")
    .option("--reason <text>", "for the timeline and the audit log")
    .option("--plan <digest>", "only if its plan is still this one: planDigest of change show --json")
    .addHelpText(
      "after",
      `
Look at it first: mainstay change show chg_0192…

Example:
  mainstay change approve chg_0192… --reason "prices checked with sales"`,
    )
    .action((id: string, options: ApproveOptions) => withContext((context) => approve(context, id, options)));
  change
    .command("reject <id>")
    .description("End a change that waits for approval")
    .requiredOption("--reason <text>", "for whoever asked for it, the timeline and the audit log")
    .addHelpText(
      "after",
      `\nExample:\n  mainstay change reject chg_0192… --reason "not before the sale is over"`,
    )
    .action((id: string, options: { reason: string }) =>
      withContext((context) => reject(context, id, options.reason)),
    );
}

async function approve(context: Context, id: string, { reason, plan }: ApproveOptions): Promise<void> {
  const planDigest = plan ?? (await context.api.get<ChangeResource>(`/changes/${id}`)).planDigest;
  const change = await context.api.post<ChangeResource>(`/changes/${id}/approve`, {
    ...{ reason: reason ?? null, planDigest },
  });
  show(context, change, () => {
    const awaited = awaitedWords(change);
    const rest = awaited === null ? "it begins when its turn comes" : `it still waits for ${awaited}`;
    return `${change.id} is approved; ${rest}`;
  });
}

async function reject(context: Context, id: string, reason: string): Promise<void> {
  const change = await context.api.post<ChangeResource>(`/changes/${id}/reject`, { reason });
  show(context, change, () => `${change.id} is ${change.state}: ${change.outcome}`);
}
