/** What came of one request, as far as its sender can tell. */
export type Result =
  | { status: number; proxyStatus: string | null; release: string | null; setCookies: readonly string[] }
  | { failure: string };

export type Outcome =
  | { kind: "ok" }
  /** 5xx that the application gave, or that the proxy reports of it. */
  | { kind: "application-error" }
  /** 4xx: the application does not know what the mix asks for. */
  | { kind: "refused" }
  /** The platform failed the request, or nobody answered it. */
  | { kind: "lost"; reason: string };

/** The name by which the platform says in Proxy-Status that it was itself at fault. */
const PLATFORM = "mainstay";

/** One request's result → whose fault it was. */
export function classify(result: Result): Outcome {
  if ("failure" in result) return { kind: "lost", reason: result.failure };
  const reason = platformFault(result.proxyStatus);
  if (reason !== null) return { kind: "lost", reason };
  if (result.status >= 500) return { kind: "application-error" };
  if (result.status >= 400) return { kind: "refused" };
  return { kind: "ok" };
}

/** Why the platform itself failed the request; null when Proxy-Status (RFC 9209) does not say so. */
function platformFault(proxyStatus: string | null): string | null {
  if (proxyStatus === null) return null;
  for (const member of splitOutsideQuotes(proxyStatus, ",")) {
    const [name, ...parameters] = splitOutsideQuotes(member, ";").map((part) => part.trim());
    if (name !== PLATFORM && name !== `"${PLATFORM}"`) continue;
    const error = parameters.find((parameter) => parameter.startsWith("error="));
    return `${PLATFORM}:${error?.slice("error=".length) ?? "unknown"}`;
  }
  return null;
}

/** Splits a structured field (RFC 9651) at a separator that stands outside of strings. */
function splitOutsideQuotes(text: string, separator: "," | ";"): string[] {
  const parts = text.match(/"(?:\\.|[^"\\])*"|[^]/g) ?? [];
  const pieces = [""];
  for (const part of parts) {
    if (part === separator) pieces.push("");
    else pieces[pieces.length - 1] += part;
  }
  return pieces;
}
