import { ERRORS } from "@mainstay/api";
import type { GeneratedFile } from "../generated-files.ts";

const HEAD = `# Errors

Every error a user can meet: what it says, and what to do. HTTP answers carry it as a problem document
(RFC 9457) with \`code\`, \`remedy\` and \`requestId\`; the command line prints the same words.
Words in braces are filled in.

Made from \`api/src/errors.ts\` by \`node tools/generate.ts\`.
`;

/** The error catalogue as a page for people. */
export function generate(): Promise<GeneratedFile[]> {
  const sections = Object.entries(ERRORS).map(
    ([code, kind]) => `## ${code}\n\nHTTP ${kind.status}: ${kind.message}.\n\n${kind.remedy}\n`,
  );
  return Promise.resolve([{ path: "docs/reference/errors.md", text: [HEAD, ...sections].join("\n") }]);
}
