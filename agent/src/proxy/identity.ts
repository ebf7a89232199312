import { createSecretKey, randomUUID } from "node:crypto";
import { isSignatureOf, signatureOf } from "./signature.ts";

const COOKIE_NAME = "mainstay_id";
const COOKIE = /(?:^|;\s*)mainstay_id=([\w-]{1,64}\.[\w-]{1,64})(?:;|$)/;
const ONE_YEAR_SECONDS = 31_536_000;
const REMEMBERED = 20_000;

export interface Identities {
  /** The id of a Cookie header whose signature holds; null when there is none. */
  read(cookieHeader: string | undefined): string | null;
  /** A fresh id and the Set-Cookie value that makes a browser keep it. */
  issue(isSecure: boolean): { id: string; setCookie: string };
}

/**
 * Ids of users, carried by a signed cookie so that nobody can
 * choose an arm. Verified values are remembered, bounded.
 */
export function createIdentities(key: Buffer): Identities {
  const secret = createSecretKey(key);
  const verified = new Map<string, string>();

  function verify(value: string): string | null {
    const [id = "", signature = ""] = value.split(".");
    if (!isSignatureOf(secret, id, Buffer.from(signature, "base64url"))) return null;
    const oldest = verified.size < REMEMBERED ? undefined : verified.keys().next().value;
    if (oldest !== undefined) verified.delete(oldest);
    verified.set(value, id);
    return id;
  }

  return {
    read(cookieHeader) {
      const value = cookieHeader === undefined ? undefined : COOKIE.exec(cookieHeader)?.[1];
      if (value === undefined) return null;
      return verified.get(value) ?? verify(value);
    },
    issue(isSecure) {
      const id = randomUUID();
      const value = `${id}.${signatureOf(secret, id).toString("base64url")}`;
      const attributes = `Max-Age=${ONE_YEAR_SECONDS}; Path=/; HttpOnly; SameSite=Lax${isSecure ? "; Secure" : ""}`;
      return { id, setCookie: `${COOKIE_NAME}=${value}; ${attributes}` };
    },
  };
}
