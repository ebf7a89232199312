import type { Challenge } from "@mainstay/api";

/** A certificate and its key, both PEM. */
export interface Issued {
  /** The leaf first. */
  chain: string;
  key: string;
}

export interface Authority {
  /**
   * Gets a certificate for one host. `prove` shows what the authority will look for and resolves once every
   * worker answers it; what it answers takes it back. Throws an error whose message is the authority's words.
   */
  issue(host: string, prove: (challenge: Challenge) => Promise<() => Promise<void>>): Promise<Issued>;
}
