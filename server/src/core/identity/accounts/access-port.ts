import { AppError, PERMISSIONS, isPermission } from "@mainstay/api";
import type { Tx } from "../../../kernel/database/index.ts";
import type { Can, Origin, Scope } from "../../../kernel/http/index.ts";
import type { Access } from "../access.ts";

/** What the accounts need of those who keep roles and grants. */
export interface AccessPort {
  /** What a user may do, by grants of their own and of their teams. */
  permissionsOf(subject: { type: "user"; id: string }): Promise<Can>;
  /** The same for somebody who is invited or disabled, as if they were not. */
  permissionsOnceActive(userId: string): Promise<Can>;
  /** What a role stands for; throws for one that does not exist. */
  permissionsOfRole(role: string): Promise<readonly string[]>;
  grant(tx: Tx, grant: RoleGrant, origin: Origin): Promise<unknown>;
  /** For users who may do nothing: invited or disabled. */
  suspend(tx: Tx, userId: string): Promise<void>;
  resume(tx: Tx, userId: string): Promise<void>;
  /** Takes away whatever was granted to a user who is removed. */
  forget(tx: Tx, userId: string, origin: Origin): Promise<void>;
  /** Throws when the transaction leaves nobody who may do everything. */
  assertAdminRemains(tx: Tx): Promise<void>;
  /** To be called after a transaction in which any of this was altered. */
  refresh(): Promise<void>;
  /** A key that may do everything, for programs on the day of the setup; answers its text. */
  makeAdminKey(origin: Origin): Promise<string>;
}

export interface RoleGrant extends Scope {
  subject: { type: "user"; id: string };
  role: string;
}

/** The room's own roles, grants and keys, as the accounts see them. */
export function accessPortOf(access: Access): AccessPort {
  const {
    permissionsOf,
    permissionsOnceActive,
    grant,
    suspend,
    resume,
    forget,
    assertAdminRemains,
    refresh,
  } = access;
  return {
    ...{ permissionsOf, permissionsOnceActive, grant, suspend, resume, forget, assertAdminRemains, refresh },
    permissionsOfRole: async (role) => (await access.roles.show(role)).permissions,
    async makeAdminKey(origin) {
      const whole = { environment: null, service: null, expiresInSeconds: null, allowedAddresses: [] };
      const wish = { name: "setup", role: "admin", owner: "platform" as const, stepUpExempt: true, ...whole };
      const { secret } = await access.keys.create(wish, { actor: origin.actor, can: () => true }, origin);
      return secret;
    },
  };
}

/** Throws PERMISSION_DENIED unless the giver may do themselves what the role stands for. */
export async function demandMayGive(
  access: Pick<AccessPort, "permissionsOfRole">,
  can: Can,
  { role, environment, service }: Scope & { role: string },
): Promise<void> {
  for (const permission of await access.permissionsOfRole(role)) {
    if (isPermission(permission) && !can(permission, { environment, service }))
      throw new AppError("PERMISSION_DENIED", { permission, scope: "what you give" });
  }
}

/**
 * Throws PERMISSION_DENIED when the user may do anything that whoever wants to act upon them may not. Who is
 * invited or disabled counts as they will be: the link of an administrator makes its holder one.
 */
export async function demandAbove(
  access: Pick<AccessPort, "permissionsOnceActive">,
  can: Can,
  userId: string,
): Promise<void> {
  const theirs = await access.permissionsOnceActive(userId);
  for (const permission of Object.keys(PERMISSIONS)) {
    if (isPermission(permission) && theirs(permission, "somewhere") && !can(permission))
      throw new AppError("PERMISSION_DENIED", {
        permission,
        scope: "the whole platform, as its holder has it",
      });
  }
}
