import { EVENTS } from "@mainstay/api";
import { z } from "zod";
import type { GeneratedFile } from "../generated-files.ts";

const HEAD = `# Events

What happens is told as CloudEvents 1.0 (https://cloudevents.io), with \`id\`, \`source\`, \`type\`,
\`subject\`, \`time\` and \`data\`. Each is written in the transaction of the change it tells of, and numbered
without gaps per channel, the part of the type before the dot.

Made from \`api/src/events.ts\` by \`node tools/generate.ts\`.
`;

/** The event catalogue as a page for people. */
export function generate(): Promise<GeneratedFile[]> {
  const sections = Object.entries(EVENTS).map(
    ([type, schema]) => `## ${type}\n\n${fieldsOf(schema).join("\n")}\n`,
  );
  return Promise.resolve([{ path: "docs/reference/events.md", text: [HEAD, ...sections].join("\n") }]);
}

interface JsonSchema {
  type?: string | string[];
  enum?: string[];
  anyOf?: JsonSchema[];
  properties?: Record<string, JsonSchema>;
}

function fieldsOf(schema: z.ZodType): string[] {
  const { properties = {} } = z.toJSONSchema(schema, { io: "input" }) as JsonSchema;
  return Object.entries(properties).map(([name, field]) => `- \`data.${name}\`: ${typeOf(field)}`);
}

function typeOf(field: JsonSchema): string {
  if (field.enum) return field.enum.join(", ");
  if (field.anyOf) return field.anyOf.map(typeOf).join(" or ");
  return String(field.type ?? "anything");
}
