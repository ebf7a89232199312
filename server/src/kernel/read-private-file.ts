import { readFile, stat } from "node:fs/promises";
import { reasonOf } from "./reason-of.ts";

/** The secret in a file that other accounts cannot use. Throws with words that do not repeat it. */
export async function readPrivateFile(file: string): Promise<string> {
  try {
    const { mode } = await stat(file);
    if ((mode & 0o007) !== 0) throw new Error("other accounts may use it (chmod o= mends that)");
    const text = (await readFile(file, "utf8")).trim();
    if (text === "") throw new Error("it is empty");
    return text;
  } catch (error) {
    const reason = error instanceof Error && "code" in error ? String(error.code) : reasonOf(error);
    throw new Error(`the secret ${file} cannot be used: ${reason}`, { cause: error });
  }
}
