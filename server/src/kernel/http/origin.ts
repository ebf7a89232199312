import type { Actor } from "./authority.ts";
import type { HttpRequest } from "./route.ts";

/** Who asks and from where, as audit rows keep it. */
export interface Origin {
  actor: Actor;
  onBehalfOf?: Actor | null;
  requestId: string | null;
  address: string | null;
  /** When a second factor was confirmed last, if it was. */
  stepUp?: { at: string } | null;
}

type Asked = Pick<
  HttpRequest<unknown, unknown, unknown>,
  "actor" | "authenticated" | "requestId" | "address"
>;

/** The origin of a request, for its audit rows. */
export function originOf({ actor, authenticated, requestId, address }: Asked): Origin {
  const steppedUpAt = authenticated.session?.steppedUpAt ?? null;
  return {
    actor,
    requestId,
    address,
    ...(authenticated.onBehalfOf ? { onBehalfOf: authenticated.onBehalfOf } : {}),
    ...(steppedUpAt ? { stepUp: { at: steppedUpAt.toISOString() } } : {}),
  };
}
