const MINUTE_MS = 60_000;
const BACK_OFF = { firstMs: 5 * MINUTE_MS, factor: 3, limitMs: 12 * 60 * MINUTE_MS };
/** Shares of a time by which it is moved, so that many hosts and servers do not ask at the same moment. */
const RENEWAL_JITTER = 0.1;
const BACK_OFF_JITTER = 0.25;

/**
 * When a certificate is renewed: with a third of its lifetime left, up to a tenth of that third earlier.
 * `chance` is a number from 0 to 1.
 */
export function renewalTime(
  { notBefore, notAfter }: { notBefore: Date; notAfter: Date },
  chance: number,
): Date {
  const thirdMs = (notAfter.getTime() - notBefore.getTime()) / 3;
  return new Date(notAfter.getTime() - thirdMs * (1 + RENEWAL_JITTER * chance));
}

/**
 * How long to wait after so many failed attempts in a row: 5 minutes, three times as long each time, to 12 h.
 */
export function backOffMs(attempts: number, chance: number): number {
  const plainMs = Math.min(BACK_OFF.limitMs, BACK_OFF.firstMs * BACK_OFF.factor ** (attempts - 1));
  return Math.round(plainMs * (1 + BACK_OFF_JITTER * chance));
}

/**
 * A name of at least two labels; the last one has a letter,
 * so that no address passes (RFC 1123, section 2.1).
 */
const PUBLIC_NAME = /^(?=.{4,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+(?=[^.]*[a-z])[a-z0-9-]{2,63}$/;
/**
 * RFC 6761 and 6762: names that lead nowhere outside.
 * `test` is for tests, which have authorities of their own.
 */
const LOCAL_ENDINGS = [".localhost", ".local", ".invalid", ".internal"];

/** Why no authority would issue a certificate for the host by HTTP; null when one might. */
export function whyNotOrdered(host: string): string | null {
  if (host.startsWith("*."))
    return "a wildcard needs a certificate from files: it cannot be proven over HTTP";
  const isPublic = PUBLIC_NAME.test(host) && !LOCAL_ENDINGS.some((ending) => host.endsWith(ending));
  return isPublic ? null : "it is no public host name";
}
