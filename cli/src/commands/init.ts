import { access, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import type { Command } from "commander";
import { InvalidArgumentError } from "commander";
import { CliError, EXIT } from "../cli-error.ts";
import type { Context } from "../context.ts";
import { propose, type Proposal } from "../init/propose.ts";
import { readDockerfile, readPackage, readProcfile, type Findings } from "../init/sources.ts";
import { confirm } from "../prompts.ts";
import type { WithContext } from "./deploy.ts";

const SERVICE_FILE = "mainstay.yaml";

interface InitOptions {
  health?: string;
  yes: boolean;
  dryRun: boolean;
  force: boolean;
}

/** `mainstay init`: proposes a service file from what lies in the directory. */
export function addInit(program: Command, withContext: WithContext): void {
  program
    .command("init")
    .argument("[directory]", "the service's files", ".")
    .description("Propose a mainstay.yaml from a Procfile, package.json or Dockerfile")
    .option("--health <path>", "where the service says that it is healthy", pathOption)
    .option("-y, --yes", "write it without asking", false)
    .option("--dry-run", "show it, write nothing", false)
    .option("--force", "replace a mainstay.yaml that is there", false)
    .addHelpText(
      "after",
      "\nExamples:\n  mainstay init --dry-run\n  mainstay init ./shop --health /healthz --yes",
    )
    .action((directory: string, options: InitOptions) =>
      withContext((context) => init(context, directory, options)),
    );
}

async function init(context: Context, directory: string, options: InitOptions): Promise<void> {
  const root = path.resolve(directory);
  const file = path.join(root, SERVICE_FILE);
  if (!options.force && !options.dryRun) await refuseToReplace(file);
  const proposal = propose(await readSources(root), {
    directoryName: path.basename(root),
    health: options.health ?? null,
  });
  if (!proposal) {
    const remedy = "It looks for a Procfile, a package.json with a start script, and a Dockerfile with CMD.";
    throw new CliError(`nothing in ${root} says how the service starts`, EXIT.failed, remedy);
  }
  if (!context.isJson) context.print(words(proposal));
  const isWanted = !options.dryRun && (options.yes || (await confirm(`Write ${file}?`)));
  if (isWanted) await writeFile(file, proposal.text, { flag: options.force ? "w" : "wx" });
  if (context.isJson) return context.print(JSON.stringify({ file, written: isWanted, ...proposal }, null, 2));
  context.print(isWanted ? `Written: ${file}` : "Nothing was written (--yes writes it without asking).");
}

async function refuseToReplace(file: string): Promise<void> {
  const isThere = await access(file).then(
    () => true,
    () => false,
  );
  if (isThere)
    throw new CliError(
      `${file} is there already`,
      EXIT.failed,
      "--dry-run shows a proposal, --force replaces it",
    );
}

/** In the order in which they are believed. */
async function readSources(root: string): Promise<Findings[]> {
  const read = (name: string) => readFile(path.join(root, name), "utf8").catch(() => null);
  const [procfile, packageJson, serverFile, dockerfile] = await Promise.all(
    ["Procfile", "package.json", "server.js", "Dockerfile"].map(read),
  );
  return [
    procfile ? readProcfile(procfile) : null,
    packageJson ? readPackage(packageJson, serverFile !== null) : null,
    dockerfile ? readDockerfile(dockerfile) : null,
  ].filter((each) => each !== null);
}

function words({ text, found, unknown }: Proposal): string {
  const list = (items: string[]) => items.map((each) => `  - ${each}`);
  const indented = text
    .trimEnd()
    .split("\n")
    .map((line) => `  ${line}`);
  return ["Found:", ...list(found), "", "Not known:", ...list(unknown), "", ...indented, ""].join("\n");
}

function pathOption(text: string): string {
  if (!text.startsWith("/")) throw new InvalidArgumentError('Expected a path that starts with "/".');
  return text;
}
