import * as fs from "node:fs";
import path from "node:path";
import { CliError, EXIT } from "../cli-error.ts";

/**
 * Makes a directory and those above it. What lies there already would be taken for a part of what is written.
 */
export function makeDirectory(directory: string): void {
  try {
    for (const each of missingOf(directory)) fs.mkdirSync(each);
    if (fs.readdirSync(directory).length === 0) return;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CliError(`${directory} cannot be written: ${reason}`, EXIT.usage, "Name another directory.");
  }
  throw new CliError(
    `${directory} is not empty`,
    EXIT.usage,
    "Name a directory that is, or that is not there yet.",
  );
}

/**
 * From the outermost to the innermost. (`recursive` of Node.js tries forever where a directory is there and
 * answers ENOENT to whoever makes another one in it, as /proc does.)
 */
function missingOf(directory: string): string[] {
  const missing: string[] = [];
  for (let at = path.resolve(directory); !fs.existsSync(at); at = path.dirname(at)) missing.unshift(at);
  return missing;
}
