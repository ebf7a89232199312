import path from "node:path";
import { digestOf, readSourceTree } from "@mainstay/server";
import type { Command } from "commander";
import { show } from "../context.ts";
import type { WithContext } from "./deploy.ts";

/** `mainstay digest`: the content digest of a directory, as a release of it would have. */
export function addDigest(program: Command, withContext: WithContext): void {
  program
    .command("digest")
    .argument("[directory]", "the service's files", ".")
    .description("Print the content digest of a directory, to be signed")
    .addHelpText(
      "after",
      `
Examples:
  mainstay digest > ../release.digest
  minisign -S -m ../release.digest
  mainstay deploy --signature ../release.digest.minisig`,
    )
    .action((directory: string) =>
      withContext(async (context) => {
        const entries = await readSourceTree(path.resolve(directory));
        const digest = digestOf(entries);
        show(context, { digest, files: entries.length }, () => digest);
      }),
    );
}
