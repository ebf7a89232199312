import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { applyExceptions } from "./tidy/exceptions.ts";
import type { Finding } from "./tidy/finding.ts";
import { EXCEPTIONS, RULES } from "./tidy/house-rules.ts";
import { readRepository } from "./tidy/repository.ts";
import { wrapComments } from "./tidy/wrap-comments.ts";

/** Says where the repository breaks the rules of its house; exit 1 when it does. --fix wraps comments. */
const root = join(import.meta.dirname, "..");
const repository = await readRepository(root);

if (process.argv.includes("--fix")) {
  for (const source of repository.sources) {
    const wrapped = wrapComments(source);
    if (wrapped !== source.text) await writeFile(join(root, source.path), wrapped);
  }
} else {
  const { findings, warnings } = applyExceptions(
    RULES.flatMap((rule) => rule(repository)),
    EXCEPTIONS,
  );
  for (const finding of warnings) console.log(`warning: ${format(finding)}`);
  for (const finding of findings) console.log(format(finding));
  const files = repository.sources.length + repository.documents.length;
  console.log(`tidy: ${files} files, ${findings.length} findings, ${warnings.length} warnings`);
  process.exitCode = findings.length > 0 ? 1 : 0;
}

function format({ rule, path, line, message }: Finding): string {
  return `${path}:${line}  ${rule}: ${message}`;
}
