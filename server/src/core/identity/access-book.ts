import {
  BUILT_IN_ROLES,
  permissionsOfRole,
  type BuiltInRole,
  type RoleResource,
  type Subject,
} from "@mainstay/api";
import type { DatabaseHandle } from "../../kernel/database/index.ts";
import type { Authenticated, Can } from "../../kernel/http/index.ts";
import type { Log } from "../../kernel/log.ts";
import { ACCESS_CHANNEL, type AccessStore, type GrantRow, type KeyRow } from "./access-store.ts";
import { readAddressRanges, type AddressRanges } from "./address-ranges.ts";
import { compileRights, intersectRights, type Right } from "./domain/rights.ts";

type Loaded = Awaited<ReturnType<AccessStore["load"]>>;

/** What is needed to check a key, worked out beforehand. */
export interface KnownKey {
  id: string;
  /** When this secret of the key gives way to the next one. */
  replacedAtMs: number;
  expiresAtMs: number;
  isAllowedFrom: AddressRanges | null;
  authenticated: Authenticated;
}

/** Everything about who may do what at one moment. */
export interface AccessPage extends Omit<Loaded, "suspended"> {
  rightsOf(subject: Subject): Right[];
  canOf(subject: Subject): Can;
  /** What a user may do who is neither invited nor disabled any more. */
  canOnceActive(user: string): Can;
  /** Keys that are not revoked, by the fingerprints of their secrets, of which a key may have two. */
  known: ReadonlyMap<string, KnownKey>;
}

/** Who may do what, in memory: read once, and again whenever any server has altered it. */
export interface AccessBook {
  /** What is known now; reads it first when nothing is. */
  page(): Promise<AccessPage>;
  /** The same without waiting; null before anything was read. */
  pageNow(): AccessPage | null;
  /** Reads everything again; what was committed before the call is in it. */
  refresh(): Promise<AccessPage>;
  start(): Promise<void>;
  stop(): Promise<void>;
}

export interface AccessBookDependencies {
  store: Pick<AccessStore, "load">;
  listen: DatabaseHandle["listen"];
  log: Log;
}

/** The book of a server. After `start` it follows the alterations of the other servers too. */
export function createAccessBook({ store, listen, log }: AccessBookDependencies): AccessBook {
  let current: AccessPage | null = null;
  let reading: Promise<AccessPage> | null = null;
  let next: Promise<AccessPage> | null = null;
  let stopListening: () => Promise<void> = async () => {};

  /** What may be out of date is not used: after a failure the next question reads again. */
  async function read(): Promise<AccessPage> {
    try {
      current = compile(await store.load());
      return current;
    } catch (error) {
      current = null;
      throw error;
    }
  }

  /**
   * A reading under way may have begun too early: another one follows it, shared by all who ask meanwhile.
   */
  function refresh(): Promise<AccessPage> {
    if (reading === null) {
      reading = read().finally(() => (reading = null));
      return reading;
    }
    next ??= reading
      .catch(() => null)
      .then(() => {
        next = null;
        return refresh();
      });
    return next;
  }

  return {
    page: async () => current ?? refresh(),
    pageNow: () => current,
    refresh,
    async start() {
      stopListening = await listen(ACCESS_CHANNEL, () => {
        refresh().catch((error: unknown) => log.warn({ error }, "access could not be read again"));
      });
      await refresh();
    },
    stop: () => stopListening(),
  };
}

/** What a grant permits; nothing when its role is not known yet. */
export function grantedBy(page: Pick<AccessPage, "roles">, grant: Pick<GrantRow, "role" | "permissions">) {
  if (grant.permissions !== null || grant.role === null) return grant.permissions ?? [];
  if (isBuiltIn(grant.role)) return permissionsOfRole(grant.role);
  return page.roles.find(({ name }) => name === grant.role)?.permissions ?? [];
}

/** Whether it is a role that every installation has. */
export function isBuiltIn(role: string): role is BuiltInRole {
  return BUILT_IN_ROLES.some((name) => name === role);
}

/** The built-in roles as they are listed. */
export const BUILT_IN: readonly RoleResource[] = BUILT_IN_ROLES.map((name) => ({
  name,
  isBuiltIn: true,
  permissions: permissionsOfRole(name),
  createdAt: null,
  createdBy: null,
}));

function compile({ suspended, ...loaded }: Loaded): AccessPage {
  const idle = new Set(suspended.map(({ user_id }) => user_id));
  const granted = Map.groupBy(loaded.grants, (grant) => `${grant.subject_type}:${grant.subject_id}`);
  const teams = Map.groupBy(loaded.members, ({ user_id }) => user_id);
  const keys = new Map(loaded.keys.map((row) => [row.id, row]));
  const compiled = new Map<string, Can>();

  function ownRights({ type, id }: Subject): Right[] {
    return (granted.get(`${type}:${id}`) ?? []).map((grant) => {
      const { environment, service } = grant;
      return { environment, service, permissions: grantedBy(loaded, grant) };
    });
  }

  function rightsOnceActive(id: string): Right[] {
    const ofTeams = (teams.get(id) ?? []).flatMap(({ team }) => ownRights({ type: "team", id: team }));
    return [...ownRights({ type: "user", id }), ...ofTeams];
  }

  function rightsOf(subject: Subject): Right[] {
    const { type, id } = subject;
    if (type === "team") return ownRights(subject);
    if (type === "user") return idle.has(id) ? [] : rightsOnceActive(id);
    const key = keys.get(id);
    if (!key || key.revoked_at !== null) return [];
    return key.owner === null ? ownRights(subject) : intersectRights(ownRights(subject), rightsOf(key.owner));
  }

  function canOf(subject: Subject): Can {
    const name = `${subject.type}:${subject.id}`;
    const can = compiled.get(name) ?? compileRights(rightsOf(subject));
    compiled.set(name, can);
    return can;
  }

  const usable = loaded.keys.filter((row) => row.revoked_at === null);
  const known = new Map(usable.flatMap((row) => toKnown(row, canOf({ type: "key", id: row.id }))));
  const canOnceActive = (user: string) => compileRights(rightsOnceActive(user));
  return { ...loaded, rightsOf, canOf, canOnceActive, known };
}

function toKnown(row: KeyRow, can: Can): [string, KnownKey][] {
  const { id, name, owner } = row;
  const onBehalfOf = owner?.type === "user" ? { type: "user", id: owner.id, name: owner.id } : null;
  const present: KnownKey = {
    id,
    replacedAtMs: Infinity,
    expiresAtMs: row.expires_at?.getTime() ?? Infinity,
    isAllowedFrom: readAddressRanges(row.allowed_addresses),
    authenticated: {
      actor: { type: "key", id, name },
      ...(onBehalfOf ? { onBehalfOf } : {}),
      can,
      session: null,
      key: { id, isStepUpExempt: row.step_up_exempt },
    },
  };
  const known: [string, KnownKey][] = [[row.hash.toString("latin1"), present]];
  const { previous_hash: previous, previous_until: until } = row;
  if (previous !== null && until !== null) {
    known.push([previous.toString("latin1"), { ...present, replacedAtMs: until.getTime() }]);
  }
  return known;
}
