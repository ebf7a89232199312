/**
 * disk-full: nothing of the call was taken, queries go on, and the next call is tried afresh ·
 * closed: the store was closed · malformed: an argument makes no sense.
 */
export type StoreFault = "disk-full" | "closed" | "malformed";

/** What a caller of the store has to act on. */
export class StoreError extends Error {
  override name = "StoreError";
  readonly fault: StoreFault;

  constructor(fault: StoreFault, message: string, options?: ErrorOptions) {
    super(message, options);
    this.fault = fault;
  }
}
