import { AppError, type Permission } from "@mainstay/api";

/** Who asks, as it stands in audit rows and timelines. */
export interface Actor {
  type: string;
  id: string;
  name: string;
}

/** What a request is about; null stands for all of them. */
export interface Scope {
  environment: string | null;
  service: string | null;
}

/** The scope of something that was looked up: whoever may not read it is told that it does not exist. */
export interface FoundScope extends Scope {
  /** As the answer names it when it is not there: "change chg_1". */
  what: string;
  /** The permission to read it. */
  read: Permission;
}

/**
 * Whether something is permitted there: without a scope on the whole platform, which only an unscoped grant
 * permits; "somewhere": for at least one environment and service.
 */
export type Can = (permission: Permission, scope?: Scope | "somewhere") => boolean;

/** Somebody who showed a valid key, token or session. */
export interface Authenticated {
  actor: Actor;
  /** Whom the actor acts for, where that is somebody else. */
  onBehalfOf?: Actor;
  can: Can;
  /** Not null: a person is logged in. */
  session: { id: string; steppedUpAt: Date | null } | null;
  /** Not null: a program with an API key. */
  key: { id: string; isStepUpExempt: boolean } | null;
}

/** What is asked before anything else is known of a request. */
export interface Credentials {
  headers: Readonly<Record<string, string | string[] | undefined>>;
  address: string;
  method: string;
}

/** Who sends a request. Null: no credential of a known form was sent. */
export type Authenticate = (request: Credentials) => Promise<Authenticated | null>;

const ANONYMOUS: Actor = { type: "anonymous", id: "anonymous", name: "anonymous" };

/** Whoever asks a public route. */
export const NOBODY: Authenticated = { actor: ANONYMOUS, can: () => false, session: null, key: null };

/**
 * Throws PERMISSION_DENIED unless it is permitted there; and NOT_FOUND for what
 * was looked up and may not even be read, in the words of what is not there.
 */
export function demand(
  { can }: Pick<Authenticated, "can">,
  permission: Permission,
  scope: Scope | FoundScope,
): void {
  const { environment, service } = scope;
  const where = { environment, service };
  if (can(permission, where)) return;
  if ("read" in scope && !can(scope.read, where)) throw new AppError("NOT_FOUND", { what: scope.what });
  throw new AppError("PERMISSION_DENIED", { permission, scope: describeScope(where) });
}

/** A scope in words, as in "shop in production". */
export function describeScope({ environment, service }: Scope): string {
  if (environment === null && service === null) return "the whole platform";
  return `${service ?? "every service"} in ${environment ?? "every environment"}`;
}
