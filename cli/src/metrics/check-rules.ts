import { readFile } from "node:fs/promises";
import type { RuleProblem } from "@mainstay/metrics/rules";
import { CliError, EXIT } from "../cli-error.ts";
import { show, type Context } from "../context.ts";
import { counted } from "../output/counted.ts";

interface Checked {
  file: string;
  groups: number;
  recording: number;
  alerting: number;
  problems: readonly RuleProblem[];
}

/** Reads files of rules as the server would, and says what is wrong in them; needs no server. */
export async function checkRules(context: Context, files: string[]): Promise<void> {
  const checked = await Promise.all(files.map(checkFile));
  show(context, { files: checked }, () => checked.flatMap(linesOf).join("\n"));
  const broken = checked.filter(({ problems }) => problems.length > 0).length;
  if (broken > 0)
    throw new CliError(
      `${broken} of ${counted(files.length, "file")} ${broken === 1 ? "is" : "are"} broken`,
      EXIT.failed,
    );
}

async function checkFile(file: string): Promise<Checked> {
  const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    throw new CliError(`${file} cannot be read: ${error.code ?? error.message}`, EXIT.usage);
  });
  const { readRuleFile } = await import("@mainstay/metrics/rules");
  const read = readRuleFile(text);
  const rules = read.file.groups.flatMap((group) => group.rules);
  const recording = rules.filter(({ kind }) => kind === "recording").length;
  const { problems } = read;
  return { file, groups: read.file.groups.length, recording, alerting: rules.length - recording, problems };
}

function linesOf({ file, groups, recording, alerting, problems }: Checked): string[] {
  if (problems.length === 0) {
    const rules = [counted(recording, "recording rule"), counted(alerting, "alerting rule")];
    return [`${file}: ${[counted(groups, "group"), ...rules].join(", ")}`];
  }
  return problems.map(({ line, column, message }) => `${file}:${line}:${column}: ${message}`);
}
