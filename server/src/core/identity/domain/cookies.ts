/** The value of a cookie of this name in a Cookie header; null without one. RFC 6265 §4.2. */
export function readCookie(header: string | string[] | undefined, name: string): string | null {
  const text = Array.isArray(header) ? header.join("; ") : (header ?? "");
  for (const pair of text.split(";")) {
    const at = pair.indexOf("=");
    if (at > 0 && pair.slice(0, at).trim() === name) return pair.slice(at + 1).trim();
  }
  return null;
}

export interface CookieFacts {
  name: string;
  value: string;
  isSecure: boolean;
  maxAgeMs: number;
  /** Lax: sent when a page elsewhere leads here, as an identity provider does. */
  sameSite?: "Strict" | "Lax";
}

/** `__Host-` binds a cookie to this very host over HTTPS: RFC 6265bis §4.1.3.2. */
export function cookieName(name: string, isSecure: boolean): string {
  return isSecure ? `__Host-${name}` : name;
}

/** A Set-Cookie header: for this server alone, out of reach of scripts. A lifetime of 0 removes it. */
export function formatCookie({ name, value, isSecure, maxAgeMs, sameSite = "Strict" }: CookieFacts): string {
  const parts = [
    `${cookieName(name, isSecure)}=${value}`,
    "Path=/",
    `Max-Age=${Math.floor(maxAgeMs / 1000)}`,
    "HttpOnly",
    `SameSite=${sameSite}`,
  ];
  return [...parts, ...(isSecure ? ["Secure"] : [])].join("; ");
}
