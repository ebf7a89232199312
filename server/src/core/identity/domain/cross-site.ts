type Headers = Readonly<Record<string, string | string[] | undefined>>;

const SAFE_METHODS: readonly string[] = ["GET", "HEAD", "OPTIONS"];

/**
 * Why a request must not be taken as one that a page of ours has sent; null when it may. As the OWASP CSRF
 * Prevention Cheat Sheet has it: Fetch Metadata first (Sec-Fetch-Site), Origin against Host where a browser does
 * not send it. `isByCookie`: the browser added the credential by itself, so a request that says neither is
 * refused; a program that shows its own token needs to say nothing.
 */
export function describeCrossSite(
  { method, headers }: { method: string; headers: Headers },
  { isByCookie }: { isByCookie: boolean },
): string | null {
  if (SAFE_METHODS.includes(method)) return null;
  const site = headers["sec-fetch-site"];
  if (site !== undefined) {
    return site === "same-origin" ? null : `the browser says that it comes from elsewhere (${String(site)})`;
  }
  const { origin } = headers;
  if (origin === undefined) return isByCookie ? "the browser does not say where it comes from" : null;
  const from = URL.parse(String(origin))?.host;
  if (from !== undefined && from === String(headers["host"] ?? "").toLowerCase()) return null;
  return "its Origin is another one than this server";
}
