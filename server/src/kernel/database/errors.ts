import { AppError } from "@mainstay/api";
import pg from "pg";

/**
 * Connection exceptions (class 08), and a server that shuts
 * down, crashed or still starts (PostgreSQL, Appendix A).
 */
const LOST_STATES = /^(?:08...|57P0[123])$/;
/** What the driver itself says; it gives these errors no code. */
const LOST_MESSAGES =
  /^(?:Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error)/;

/** Whether a query failed because its connection was lost on the way. */
export function isLostConnection(error: unknown): boolean {
  if (error instanceof pg.DatabaseError) return LOST_STATES.test(error.code ?? "");
  return error instanceof Error && LOST_MESSAGES.test(error.message);
}

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
