import { createTokenVerifier, type PublicJwk, type TokenVerifier } from "@mainstay/token";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";

/** What the server leaves for the agent: who signs its calls, and the keys these are verified with. */
export interface TrustedKeys {
  issuer: string;
  keys: PublicJwk[];
}

/** Where it lies; without it calls need no token, for a server that knows none has never left it. */
export function trustedKeysFile(dataDirectory: string): string {
  return join(dataDirectory, "agent", "trusted-keys.json");
}

/** Longer than the server's own tokens live. */
const MAX_LIFETIME_SECONDS = 300;

export interface CallGuardOptions {
  file: string;
  nowMs: () => number;
}

/** Says why a call is refused; null when it carries a token of the server's. */
export type CallGuard = (authorization: string | undefined) => string | null;

/** Guards the agent's socket, beside the mode of it: a call has to be signed as well. */
export function createCallGuard({ file, nowMs }: CallGuardOptions): CallGuard {
  let version = "";
  let verifier: TokenVerifier | "none" | "damaged" = "none";

  /** The file as it is now; it is read again when it was replaced. */
  function present(): TokenVerifier | "none" | "damaged" {
    const facts = statSync(file, { throwIfNoEntry: false });
    const found = facts ? `${facts.ino} ${facts.mtimeMs}` : "none";
    if (found !== version) verifier = facts ? read() : "none";
    version = found;
    return verifier;
  }

  function read(): TokenVerifier | "damaged" {
    try {
      const { issuer, keys } = JSON.parse(readFileSync(file, "utf8")) as TrustedKeys;
      return createTokenVerifier({
        issuer,
        keys,
        audience: "agent",
        maxLifetimeSeconds: MAX_LIFETIME_SECONDS,
      });
    } catch {
      return "damaged";
    }
  }

  return (authorization) => {
    const trusted = present();
    if (trusted === "none") return null;
    if (trusted === "damaged") return `${file} is damaged; the server writes it anew within a minute`;
    const token = /^Bearer (\S+)$/.exec(authorization ?? "")?.[1];
    if (token === undefined)
      return `a call without a token; for a server older than this agent, remove ${file}`;
    const { refusal } = trusted.verify(token, nowMs());
    return refusal === null ? null : `the token is not valid: ${refusal}`;
  };
}
