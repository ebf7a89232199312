/**
 * What kept something from being opened. `altered`: bytes, their order, their length or the context are not
 * those that were sealed, which cannot be told apart.
 */
export type VaultFault = "malformed" | "unknown-key" | "altered" | "wrong-passphrase" | "too-large";

/** Says what was refused and why; never holds a key, a passphrase or plaintext. */
export class VaultError extends Error {
  readonly fault: VaultFault;

  constructor(fault: VaultFault, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "VaultError";
    this.fault = fault;
  }
}
