import { AppError } from "@mainstay/api";
import type { EnteredResource, UserResource } from "@mainstay/api";
import { isPublicHost, type Headers, type HttpRequest } from "../../../kernel/http/index.ts";
import { cookieName, formatCookie, readCookie } from "../domain/cookies.ts";
import { describeCrossSite } from "../domain/cross-site.ts";
import { RISK_WORDS, type RiskDecision } from "../domain/risk.ts";
import { describeUserAgent } from "../domain/user-agent.ts";
import type { AddressLimit } from "./address-limits.ts";
import type { Entered } from "./entrance.ts";
import type { Refusals } from "./refusals.ts";
import type { Visitor } from "./room.ts";
import { SESSION_COOKIE } from "./sessions.ts";
import type { Transport } from "./session-store.ts";

type Asked = Pick<
  HttpRequest<unknown, unknown, unknown>,
  "method" | "headers" | "address" | "requestId" | "announce"
>;

const DEVICE_COOKIE = "mainstay_device";
const DEVICE_KEPT_MS = 365 * 24 * 3_600_000;
const ENROL = "You have no second factor yet: enrol one with 'mainstay factors add-app'.";

export interface VisitsParts {
  addresses: AddressLimit;
  refusals: Refusals;
  publicHost: string | null;
  nowMs(): number;
}

export type Visits = ReturnType<typeof createVisits>;

/** How requests to get in are read, and how they are answered. */
export function createVisits({ addresses, refusals, publicHost, nowMs }: VisitsParts) {
  const isSecure = (headers: Headers): boolean =>
    isPublicHost(typeof headers["host"] === "string" ? headers["host"] : undefined, publicHost);

  function visitorOf(request: Asked, said: { transport: Transport; device?: string | undefined }): Visitor {
    const { headers, address, requestId } = request;
    const agent = headers["user-agent"];
    const cookie = readCookie(headers["cookie"], cookieName(DEVICE_COOKIE, isSecure(headers)));
    return {
      ...{ address, requestId, transport: said.transport },
      agent: describeUserAgent(typeof agent === "string" ? agent : undefined),
      device: said.device ?? cookie,
    };
  }

  /** Throws for a page of somebody else, and for an address that has tried too often; announces what is left. */
  async function admit(request: Asked, visitor: Visitor): Promise<void> {
    const reason = describeCrossSite(request, { isByCookie: false });
    if (reason !== null) throw new AppError("CROSS_SITE", { reason });
    const { refusal, headers } = addresses.take(request.address);
    request.announce(headers);
    if (refusal === null) return;
    await refusals.refused({ reason: "limited", user: null, visitor });
    throw refusal;
  }

  function cookie(headers: Headers, facts: { name: string; value: string; maxAgeMs: number }): string {
    return formatCookie({ ...facts, isSecure: isSecure(headers) });
  }

  function sessionCookie(headers: Headers, value: string, expiresAt: Date): string {
    const maxAgeMs = Math.max(0, expiresAt.getTime() - nowMs());
    return cookie(headers, { name: SESSION_COOKIE, value, maxAgeMs });
  }

  /** Tokens go into cookies where a browser asked for that, and into the answer otherwise. */
  function entered(request: Asked, done: Entered, more: { user: UserResource; key: string | null }) {
    const { session, token, device, risk } = done;
    const isCookie = session.transport === "cookie";
    const cookies = [
      sessionCookie(request.headers, token, session.expires_at),
      ...(device === null
        ? []
        : [cookie(request.headers, { name: DEVICE_COOKIE, value: device, maxAgeMs: DEVICE_KEPT_MS })]),
    ];
    const body: EnteredResource = {
      state: "authenticated",
      user: more.user,
      session: { id: session.id, expiresAt: session.expires_at.toISOString() },
      token: isCookie ? null : token,
      device: isCookie ? null : device,
      key: more.key,
      notes: [...notesOn(risk), ...(more.user.hasSecondFactor ? [] : [ENROL])],
    };
    return { body, headers: isCookie ? { "set-cookie": cookies } : {} };
  }

  return { visitorOf, admit, entered, sessionCookie, cookie, isSecure };
}

/** What was unusual, in words. */
export function notesOn({ reasons }: RiskDecision): string[] {
  return reasons.map((reason) => `Unusual: ${RISK_WORDS[reason]}.`);
}
