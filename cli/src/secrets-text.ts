import { parseEnv } from "node:util";
import { CliError, EXIT } from "./cli-error.ts";

/** Secrets out of the text of a file: JSON when it begins with a brace, else KEY=value lines (dotenv). */
export function readSecretsText(text: string): Record<string, string> {
  const values = text.trimStart().startsWith("{") ? readJson(text) : parseEnv(text);
  const entries = Object.entries(values).filter((entry): entry is [string, string] => entry[1] !== undefined);
  if (entries.length > 0) return Object.fromEntries(entries);
  throw new CliError(
    "there is no secret in it",
    EXIT.usage,
    "It holds KEY=value lines, or a JSON object of texts.",
  );
}

function readJson(text: string): Record<string, string> {
  const wrong = (what: string) =>
    new CliError(what, EXIT.usage, 'Expected a JSON object of texts, such as { "API_KEY": "…" }.');
  let values: unknown;
  try {
    values = JSON.parse(text);
  } catch {
    // Not as the cause: the message of JSON.parse repeats what it met.
    throw wrong("this is no JSON");
  }
  const entries = Object.entries(values ?? {});
  const stranger = entries.find(([, value]) => typeof value !== "string");
  if (stranger) throw wrong(`${stranger[0]} is no text`);
  return Object.fromEntries(entries.map(([name, value]) => [name, String(value)]));
}

/** Secrets as KEY=value lines that readSecretsText, and every reader of dotenv files, reads again. */
export function formatSecrets(values: Record<string, string>): string {
  return Object.entries(values)
    .map(([name, value]) => `${name}=${quoted(name, value)}`)
    .join("\n");
}

function quoted(name: string, value: string): string {
  if (/^[\w./:@%+=,-]*$/.test(value)) return value;
  // Between these quotes nothing has a meaning; between double ones \n would.
  const quote = ["'", "`"].find((each) => !value.includes(each));
  if (quote !== undefined) return `${quote}${value}${quote}`;
  if (!/["\\]/.test(value)) return `"${value}"`;
  throw new CliError(`${name} cannot be written as a line`, EXIT.failed, "Say --format json.");
}
