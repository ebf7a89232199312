import { join } from "node:path";
import { applyExceptions } from "./tidy/exceptions.ts";
import type { Finding } from "./tidy/finding.ts";
import { EXCEPTIONS, RULES } from "./tidy/house-rules.ts";
import { readRepository } from "./tidy/repository.ts";

/** Says where the repository breaks the rules of its house; exit 1 when it does. */
const repository = await readRepository(join(import.meta.dirname, ".."));
const found = RULES.flatMap((rule) => rule(repository));
const { findings, warnings } = applyExceptions(found, EXCEPTIONS);

for (const finding of warnings) console.log(`warning: ${format(finding)}`);
for (const finding of findings) console.log(format(finding));
const files = repository.sources.length + repository.documents.length;
console.log(`tidy: ${files} files, ${findings.length} findings, ${warnings.length} warnings`);
process.exitCode = findings.length > 0 ? 1 : 0;

function format({ rule, path, line, message }: Finding): string {
  return `${path}:${line}  ${rule}: ${message}`;
}
