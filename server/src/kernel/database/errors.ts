import { AppError } from "@mainstay/api";

/** DATABASE_UNREACHABLE for whatever went wrong, without the password in its reason. */
export function unreachable(error: unknown, password: string | null): AppError {
  const reason = reasonOf(error);
  return new AppError("DATABASE_UNREACHABLE", {
    reason: password ? reason.replaceAll(password, "***") : reason,
  });
}

/**
 * What an operating system or PostgreSQL said; several
 * addresses of one host fail together as an AggregateError.
 */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError) return [...new Set(error.errors.map(reasonOf))].join("; ");
  return error instanceof Error && error.message !== "" ? error.message : "no reason given";
}
