import { serviceFile, unwrap } from "@mainstay/api";
import { z } from "zod";
import type { GeneratedFile } from "../generated-files.ts";

const HEAD = `# mainstay.yaml

Describes one service; stands beside its code and is stored with every release. Durations are written with
their unit (\`500ms\`, \`10s\`, \`1h30m\`), shares as percentages. Unknown keys are refused.

Made from \`api/src/service-file.ts\` by \`node tools/generate.ts\`.
`;

const EXAMPLE = `## Example

\`\`\`yaml
service: shop
processes:
  web:    { command: node server.js, instances: 2, port: auto, health: { path: /healthz } }
  worker: { command: node worker.js }
env: { NODE_ENV: production }
secrets: [DATABASE_URL]
routes: [{ host: shop.example.com }]
rollout:
  stages: [{ weight: 10%, bake: 1h }, { weight: 25%, bake: 2h }, { weight: 50%, bake: 2h }, { weight: 100% }]
  limits: { errorRate: 1%, latencyP95: 2s }
\`\`\`
`;

/** Every key of mainstay.yaml as a page for people. */
export function generate(): Promise<GeneratedFile[]> {
  const rows = rowsOf(serviceFile, "");
  const table = ["| key | default | meaning |", "|---|---|---|", ...rows].join("\n");
  return Promise.resolve([
    { path: "docs/reference/service-file.md", text: [HEAD, `${table}\n`, EXAMPLE].join("\n") },
  ]);
}

function rowsOf(schema: z.core.$ZodType, path: string): string[] {
  const inner = unwrap(schema);
  if (inner instanceof z.ZodArray) return rowsOf(inner.def.element, `${path}[]`);
  if (inner instanceof z.ZodRecord) return rowsOf(inner.def.valueType, `${path}.<name>`);
  if (!(inner instanceof z.ZodObject)) return [];
  return Object.entries<z.core.$ZodType>(inner.shape).flatMap(([key, child]) => {
    const at = path === "" ? key : `${path}.${key}`;
    return [rowOf(at, child), ...rowsOf(child, at)];
  });
}

function rowOf(path: string, schema: z.core.$ZodType): string {
  const { description } = z.globalRegistry.get(schema) ?? {};
  if (!description) throw new Error(`${path} of mainstay.yaml has no description`);
  return `| \`${path}\` | ${defaultOf(schema)} | ${description} |`;
}

function defaultOf(schema: z.core.$ZodType): string {
  if (schema instanceof z.ZodOptional) return "";
  if (!(schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault)) return "required";
  const value: unknown = schema.def.defaultValue;
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text === "{}" ? "" : `\`${text.replaceAll(",", ", ")}\``;
}
