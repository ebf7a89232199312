import { CliError, EXIT } from "./cli-error.ts";
import { readSecret } from "./prompts.ts";

/** Asks one thing after the other: on a terminal, or the lines of standard input in this order. */
export interface SecretLines {
  /** One line that nobody else shall see; throws when there is none. */
  secret(question: string): Promise<string>;
}

export function createSecretLines(): SecretLines {
  let lines: string[] | null = null;
  return {
    async secret(question) {
      if (process.stdin.isTTY) return demand(await readSecret(question), question);
      lines ??= (await readSecret(question)).split("\n");
      return demand((lines.shift() ?? "").replace(/\r$/, ""), question);
    },
  };
}

function demand(answer: string, question: string): string {
  if (answer !== "") return answer;
  const remedy = "Type it when asked, or send it to standard input, one answer a line.";
  throw new CliError(`nothing was given for: ${question.replace(/:? *$/, "")}`, EXIT.usage, remedy);
}
