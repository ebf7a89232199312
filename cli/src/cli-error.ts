import { AppError } from "@mainstay/api/plain";

/** What the shell is told. */
export const EXIT = { done: 0, failed: 1, usage: 2, unreachable: 3, denied: 4, timedOut: 5 } as const;
type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** A command that ends with a message and an exit code of its own. */
export class CliError extends Error {
  /** One of EXIT, or that of a command that was run for somebody. */
  readonly exitCode: number;
  readonly remedy: string | null;

  constructor(message: string, exitCode: number, remedy: string | null = null) {
    super(message);
    this.name = "CliError";
    this.exitCode = exitCode;
    this.remedy = remedy;
  }
}

const EXIT_OF: Record<string, ExitCode> = {
  SERVER_UNREACHABLE: EXIT.unreachable,
  UNAUTHENTICATED: EXIT.denied,
  PERMISSION_DENIED: EXIT.denied,
  LOGIN_REFUSED: EXIT.denied,
  LOGIN_DELAYED: EXIT.denied,
  LOGIN_UNUSUAL: EXIT.denied,
  RATE_LIMITED: EXIT.denied,
  CHALLENGE_EXPIRED: EXIT.denied,
  LINK_INVALID: EXIT.denied,
  STEP_UP_REQUIRED: EXIT.denied,
  SESSION_REQUIRED: EXIT.denied,
  PASSWORD_WEAK: EXIT.usage,
  GRANT_EXCEEDS: EXIT.denied,
  CONFIG_INVALID: EXIT.usage,
  CONFIG_UNREADABLE: EXIT.usage,
  REQUEST_INVALID: EXIT.usage,
};

/** The exit code that belongs to an error of the catalogue. */
function exitCodeFor(code: string): ExitCode {
  return EXIT_OF[code] ?? EXIT.failed;
}

/** An error in the words of a terminal: what, where, and what to do. */
export function explain(error: unknown): { text: string; exitCode: number } {
  if (error instanceof AppError) {
    return { text: lines(error.message, error.errors, error.remedy), exitCode: exitCodeFor(error.code) };
  }
  if (error instanceof CliError)
    return { text: lines(error.message, [], error.remedy), exitCode: error.exitCode };
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { text, exitCode: EXIT.failed };
}

function lines(message: string, errors: { path: string; message: string }[], remedy: string | null): string {
  const where = errors.map((each) => `  ${each.path}: ${each.message}`);
  return [`error: ${message}`, ...where, ...(remedy ? [`  → ${remedy}`] : [])].join("\n");
}
