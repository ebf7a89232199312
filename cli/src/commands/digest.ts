import { readFile } from "node:fs/promises";
import path from "node:path";
import { parseServiceFile } from "@mainstay/api";
import { digestOf, readSourceTree } from "@mainstay/server";
import type { Command } from "commander";
import { show } from "../context.ts";
import type { WithContext } from "./deploy.ts";

/** `mainstay digest`: the content digest of a directory, as a release of it would have. */
export function addDigest(program: Command, withContext: WithContext): void {
  program
    .command("digest")
    .argument("[directory]", "the service's files", ".")
    .option("--file <name>", "the service file inside the directory", "mainstay.yaml")
    .description("Print the content digest of a directory, to be signed")
    .addHelpText(
      "after",
      `
Of a directory whose service file has a build step it is the digest of the source.

Examples:
  mainstay digest > ../release.digest
  minisign -S -m ../release.digest
  mainstay deploy --signature ../release.digest.minisig`,
    )
    .action((directory: string, { file }: { file: string }) =>
      withContext(async (context) => {
        const root = path.resolve(directory);
        const isBuilt = await hasBuild(path.join(root, file));
        const entries = await readSourceTree(root, { isBuilt });
        const digest = digestOf(entries);
        show(context, { digest, files: entries.length }, () => digest);
      }),
    );
}

/** A directory without a service file has a digest as well. */
async function hasBuild(file: string): Promise<boolean> {
  const text = await readFile(file, "utf8").catch(() => null);
  return text !== null && parseServiceFile(text, file).build !== undefined;
}
