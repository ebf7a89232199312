import type { Command } from "commander";
import { CliError, EXIT } from "../cli-error.ts";
import { show, type Context } from "../context.ts";
import type { Finding } from "../doctor/finding.ts";
import { lookAtFiles, lookAtUnits } from "../doctor/look-at-files.ts";
import { lookAtMachine } from "../doctor/look-at-machine.ts";
import { lookAtPlatform } from "../doctor/look-at-platform.ts";
import { findPatient } from "../doctor/patient.ts";
import { createThisMachine } from "../install/machine.ts";
import type { WithOwnContext } from "./install.ts";

interface DoctorOptions {
  config?: string;
  dataDirectory?: string;
}

/** `mainstay doctor`: what is wrong with an installation, and how to mend it; needs no running server. */
export function addDoctor(program: Command, withOwnContext: WithOwnContext): void {
  program
    .command("doctor")
    .description("Say what is wrong with this installation and how to mend it; works while it is down")
    .option("--config <file>", "instead of mainstay.platform.yaml in this directory, or the installed one")
    .option("--data-directory <path>", "of a platform that was started with it")
    .addHelpText(
      "after",
      "\nExit code 1 when something is an error; warnings alone are 0.\n\nExamples:\n  sudo mainstay doctor\n  mainstay doctor --json",
    )
    .action((options: DoctorOptions) => withOwnContext((context) => examine(context, options)));
}

async function examine(context: Context, options: DoctorOptions): Promise<void> {
  const patient = await findPatient(createThisMachine(), options);
  const looks = [lookAtMachine, lookAtPlatform, lookAtFiles, lookAtUnits];
  const findings = (await Promise.all(looks.map((look) => look(patient)))).flat();
  show(context, { findings }, () => describe(findings));
  const errors = findings.filter(({ status }) => status === "error").length;
  if (errors > 0) throw new CliError(`${errors} of ${findings.length} checks failed`, EXIT.failed);
}

/** By group, in the order they came; a remedy stands below what it mends. */
function describe(findings: Finding[]): string {
  const width = Math.max(...findings.map(({ name }) => name.length));
  const groups = [...new Set(findings.map(({ group }) => group))];
  return groups
    .map((group) => {
      const lines = findings.filter((each) => each.group === group).map((each) => line(each, width));
      return [group, ...lines].join("\n");
    })
    .join("\n");
}

function line({ name, status, facts, remedy }: Finding, width: number): string {
  const head = `  ${status.padEnd(7)}  ${name.padEnd(width)}  ${facts}`;
  return remedy === null || remedy === "" ? head : `${head}\n           ${"".padEnd(width)}  → ${remedy}`;
}
