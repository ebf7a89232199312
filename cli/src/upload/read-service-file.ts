import { readFile } from "node:fs/promises";
import { AppError, parseServiceFile, readServiceData, type ServiceFile } from "@mainstay/api";

/**
 * What is wrong with it is said before anything travels, and all at once: queries of gates,
 * which otherwise the pre-flight looks at, are looked at here when the form is wrong.
 */
export async function readServiceFile(file: string, environment: string | undefined): Promise<ServiceFile> {
  const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    throw new AppError("CONFIG_UNREADABLE", { file, reason: error.code ?? "unknown" }, { cause: error });
  });
  const data = readServiceData(text, file, environment);
  try {
    return parseServiceFile(text, file, environment);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const { findQueryProblems } = await import("@mainstay/server");
    const errors = [...error.errors, ...(await findQueryProblems(data))];
    throw new AppError(error.code, error.params, { cause: error, errors });
  }
}
