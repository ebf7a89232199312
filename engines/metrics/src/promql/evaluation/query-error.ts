/** What ended a query: its own doing (`execution`), a limit of samples or bytes, or its deadline. */
export type QueryFault = "execution" | "too-much" | "timeout";

/** A query that was understood and could not be answered. */
export class QueryError extends Error {
  readonly fault: QueryFault;
  constructor(message: string, fault: QueryFault = "execution") {
    super(message);
    this.name = "QueryError";
    this.fault = fault;
  }
}
