import type { ReportResource } from "@mainstay/api";
import { Option, type Command } from "commander";
import { reportMarkdown } from "../output/report-words.ts";
import type { WithContext } from "./deploy.ts";

/** `mainstay change report`: everything about one change, for people who were not there. */
export function addReport(change: Command, withContext: WithContext): void {
  change
    .command("report <id>")
    .description("What, who, why, when, with which evidence: for a pull request or a chat")
    .addOption(
      new Option("--format <format>", "of the report").choices(["markdown", "json"]).default("markdown"),
    )
    .addHelpText("after", "\nExample:\n  mainstay change report chg_0192… > report.md")
    .action((id: string, { format }: { format: string }) =>
      withContext(async (context) => {
        const report = await context.api.get<ReportResource>(`/changes/${id}/report`);
        const isJson = context.isJson || format === "json";
        context.print(isJson ? JSON.stringify(report, null, 2) : reportMarkdown(report).trimEnd());
      }),
    );
}
