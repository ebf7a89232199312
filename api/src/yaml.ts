import { parse as parseYaml, YAMLParseError } from "yaml";
import { AppError } from "./errors.ts";

/** Text → plain data. Throws CONFIG_INVALID with line and column when it is not YAML. */
export function readYaml(text: string, file: string): unknown {
  try {
    return parseYaml(text, { prettyErrors: true, logLevel: "error" }) ?? {};
  } catch (error) {
    // The library reports an alias without anchor, or far too many aliases, as a ReferenceError.
    if (!(error instanceof YAMLParseError || error instanceof ReferenceError)) throw error;
    const position = error instanceof YAMLParseError ? error.linePos?.[0] : undefined;
    const path = position ? `line ${position.line}, column ${position.col}` : "(the file)";
    throw new AppError(
      "CONFIG_INVALID",
      { file },
      { cause: error, errors: [{ path, message: wordsOf(error) }] },
    );
  }
}

/** The first line of the library's message, without the position that is told apart from it. */
function wordsOf(error: Error): string {
  if (error instanceof YAMLParseError && error.code === "MULTIPLE_DOCS")
    return "expected one document, found several";
  return error.message.split(/ at line \d+|:?\n/)[0] ?? "not YAML";
}
