import { AppError } from "@mainstay/api";
import type { Authenticate, Credentials } from "../../kernel/http/index.ts";

const SCHEME = "Bearer ";
const BEARER = /^Bearer +(\S+) *$/i;
const FORM = /^[!-~]+$/;

/** RFC 6750 §2.1; the scheme's name in any case: RFC 9110 §11.1. */
export function bearerOf(headers: Credentials["headers"]): string | null {
  const header = headers["authorization"];
  if (typeof header !== "string") return null;
  // What nearly everybody sends needs no groups.
  const plain = header.startsWith(SCHEME) ? header.slice(SCHEME.length) : "";
  return FORM.test(plain) ? plain : (BEARER.exec(header)?.[1] ?? null);
}

/** The first that knows the form of a credential answers. A bearer that nobody knows is refused as such. */
export function firstOf(...known: readonly Authenticate[]): Authenticate {
  return async (request) => {
    for (const authenticate of known) {
      const authenticated = await authenticate(request);
      if (authenticated !== null) return authenticated;
    }
    if (bearerOf(request.headers) === null) return null;
    const message = "this is no Mainstay key: those begin with mk_";
    throw new AppError("UNAUTHENTICATED", {}, { errors: [{ path: "headers.authorization", message }] });
  };
}
