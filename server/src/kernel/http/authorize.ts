import { AppError } from "@mainstay/api";
import { demand, NOBODY, type Authenticate, type Authenticated, type Credentials } from "./authority.ts";
import type { Clock } from "../clock.ts";
import type { AnyRoute, ScopeRequest } from "./route.ts";

const MINUTE_MS = 60_000;
/** How long a second factor, once confirmed, stands for its owner. */
const STEP_UP_MS = 5 * MINUTE_MS;
const PLATFORM = { environment: null, service: null };

/**
 * Who asks, before the body is read: whoever has the permission
 * nowhere at all gets no further, and learns nothing of what exists.
 */
export async function admit(
  route: AnyRoute | null,
  authenticate: Authenticate,
  credentials: Credentials,
): Promise<{ authenticated: Authenticated; check: () => void }> {
  const permission = route?.permission ?? "public";
  if (permission === "public") return { authenticated: NOBODY, check: () => {} };
  const authenticated = await authenticate(route?.takesBasic ? withoutBasic(credentials) : credentials);
  if (!authenticated) throw new AppError("UNAUTHENTICATED");
  const check = (): void => {
    if (route?.scope === undefined) return demand(authenticated, permission, PLATFORM);
    if (!authenticated.can(permission, "somewhere"))
      throw new AppError("PERMISSION_DENIED", { permission, scope: "anything" });
  };
  return { authenticated, check };
}

const BASIC = /^Basic +([A-Za-z0-9+/=]+) *$/i;

/** The password of HTTP Basic authentication (RFC 7617) as the bearer's key. */
function withoutBasic(credentials: Credentials): Credentials {
  const { authorization } = credentials.headers;
  const encoded = typeof authorization === "string" ? BASIC.exec(authorization)?.[1] : undefined;
  if (encoded === undefined) return credentials;
  const text = Buffer.from(encoded, "base64").toString();
  const key = text.slice(text.indexOf(":") + 1);
  return { ...credentials, headers: { ...credentials.headers, authorization: `Bearer ${key}` } };
}

/**
 * Whether what is asked is permitted there, once it is known what the request
 * is about, and whether a second factor was confirmed where it takes one.
 */
export async function authorize(
  { permission, scope, stepUp = false }: AnyRoute,
  request: ScopeRequest<unknown, unknown, unknown>,
  clock: Pick<Clock, "now">,
): Promise<void> {
  if (permission === "public") return;
  if (typeof scope === "function") demand(request.authenticated, permission, await scope(request));
  const isNeeded = typeof stepUp === "function" ? await stepUp(request) : stepUp;
  if (isNeeded && !hasSteppedUp(request.authenticated, clock.now().getTime()))
    throw new AppError("STEP_UP_REQUIRED", { minutes: STEP_UP_MS / MINUTE_MS });
}

/** A person who confirmed a second factor a moment ago, or a program whose key was made to do without. */
function hasSteppedUp({ session, key }: Authenticated, nowMs: number): boolean {
  if (session === null) return key !== null && key.isStepUpExempt;
  if (session.steppedUpAt === null) return false;
  const ageMs = nowMs - session.steppedUpAt.getTime();
  return ageMs >= 0 && ageMs <= STEP_UP_MS;
}
