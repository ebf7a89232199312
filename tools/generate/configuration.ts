import { PLATFORM_KEYS, type PlatformKey } from "../../server/src/kernel/config/index.ts";
import type { GeneratedFile } from "../generated-files.ts";

const HEAD = `# Configuration of the platform

Mainstay starts without any configuration. What differs from the defaults stands in
\`mainstay.platform.yaml\` in the working directory (or the file named by \`--config\`), in environment
variables, or in flags. A flag comes before a variable, a variable before the file, the file before the
default; an empty variable counts as not set.

Durations are written with their unit (\`500ms\`, \`10s\`, \`1h30m\`, \`30d\`), and so are sizes (\`1MiB\`,
\`500kB\`). Numbers and lists in variables are written as in the file. Unknown keys and unknown
\`MAINSTAY_…\` variables are refused, so that a slip of the pen is not silently ignored. \`MAINSTAY_URL\` and
\`MAINSTAY_TOKEN\` are not configuration: they tell the command line where the server is and who asks.

- \`mainstay config check\` names everything that is wrong: its place, its value and what was expected.
- \`mainstay config show\` prints every value in force and where it came from; secrets are masked.

Made from \`api/src/platform-file.ts\` by \`node tools/generate.ts\`.
`;

/** Every key of mainstay.platform.yaml as a page for people. */
export function generate(): Promise<GeneratedFile[]> {
  const sections = Map.groupBy(PLATFORM_KEYS, (key) => key.path.split(".").slice(0, -1).join("."));
  const tables = [...sections].map(([section, keys]) => `${headingOf(section)}\n\n${tableOf(keys)}\n`);
  const example = `## The defaults as a file\n\n\`\`\`yaml\n${exampleOf(sections)}\`\`\`\n`;
  const text = [HEAD, ...tables, example].join("\n");
  return Promise.resolve([{ path: "docs/reference/configuration.md", text }]);
}

function headingOf(section: string): string {
  return section === "" ? "## Top level" : `## ${section}`;
}

function tableOf(keys: PlatformKey[]): string {
  const rows = keys.map((key) => {
    const secret = key.isSecret ? " A secret: never shown." : "";
    const cells = [
      `\`${key.path}\``,
      `\`${key.variable}\``,
      `\`${written(key.default)}\``,
      key.description + secret,
    ];
    return `| ${cells.join(" | ")} |`;
  });
  return ["| key | variable | default | meaning |", "|---|---|---|---|", ...rows].join("\n");
}

function exampleOf(sections: Map<string, PlatformKey[]>): string {
  const lines = [...sections].flatMap(([section, keys]) => {
    const names = section === "" ? [] : section.split(".");
    const indent = "  ".repeat(names.length);
    const values = keys.map((key) => `${indent}${key.path.split(".").at(-1)}: ${written(key.default)}`);
    // A section within another one comes right after it, so that indenting is enough.
    return names.length === 0 ? values : [`${indent.slice(2)}${names.at(-1)}:`, ...values];
  });
  return `${lines.join("\n")}\n`;
}

function written(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value).replaceAll(",", ", ");
}
