import { AppError } from "@mainstay/api";
import { reasonOf } from "../../../kernel/reason-of.ts";

/** What is wrong with a file, finding by finding where there are several. */
export function findingsOf(error: unknown): string {
  if (!(error instanceof AppError) || error.errors.length === 0) return reasonOf(error);
  return error.errors.map(({ path, message }) => `${path}: ${message}`).join("; ");
}
