import { AppError } from "@mainstay/api";
import { demand, NOBODY, type Authenticate, type Authenticated, type Credentials } from "./authority.ts";
import type { AnyRoute, ScopeRequest } from "./route.ts";

const PLATFORM = { environment: null, service: null };

/**
 * Who asks, before the body is read: whoever has the permission nowhere at all gets no further, and learns nothing
 * of what exists.
 */
export async function admit(
  route: AnyRoute | null,
  authenticate: Authenticate,
  credentials: Credentials,
): Promise<{ authenticated: Authenticated; check: () => void }> {
  const permission = route?.permission ?? "public";
  if (permission === "public") return { authenticated: NOBODY, check: () => {} };
  const authenticated = await authenticate(credentials);
  if (!authenticated) throw new AppError("UNAUTHENTICATED");
  const check = (): void => {
    if (route?.scope === undefined) return demand(authenticated, permission, PLATFORM);
    if (!authenticated.can(permission, "somewhere"))
      throw new AppError("PERMISSION_DENIED", { permission, scope: "anything" });
  };
  return { authenticated, check };
}

/** Whether what is asked is permitted there, once it is known what the request is about. */
export async function authorize(
  { permission, scope }: AnyRoute,
  request: ScopeRequest<unknown, unknown, unknown>,
): Promise<void> {
  if (permission === "public" || typeof scope !== "function") return;
  demand(request.authenticated, permission, await scope(request));
}
