/**
 * What is wrong with a log, a note or a proof. `malformed`: cannot be read; `unsigned`: no trusted signature;
 * `missing`: a file is not there; `altered`: contents and hashes disagree;
 * `truncated`: shorter than a checkpoint that was kept; `forked`: another
 * history than the one that was kept; `gap`: a batch that does not follow.
 */
export type LogFault = "malformed" | "unsigned" | "missing" | "altered" | "truncated" | "forked" | "gap";

/** Thrown wherever a log, a note or a proof cannot be trusted, with the kind of fault for programs. */
export class LogError extends Error {
  readonly fault: LogFault;

  constructor(fault: LogFault, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "LogError";
    this.fault = fault;
  }
}
