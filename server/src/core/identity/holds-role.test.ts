import { permissionsOfRole } from "@mainstay/api";
import { describe, expect, it } from "vitest";
import type { AccessPage } from "./access-book.ts";
import { compileRights, type Right } from "./domain/rights.ts";
import { createHoldsRole } from "./holds-role.ts";

const production = { environment: "production", service: "shop" };
const ann = { type: "user", id: "usr_ann", name: "ann" };

/** Somebody with these rights, where a role `release-manager` may approve and `nothing` may do nothing. */
function holds(role: string, rights: Right[], actor = ann) {
  const custom = (name: string, permissions: AccessPage["roles"][number]["permissions"]) => {
    return { name, permissions, created_at: new Date(0), created_by: actor, is_removed: false };
  };
  const roles = [custom("release-manager", ["changes.approve"]), custom("nothing", [])];
  const page = { roles, canOf: () => compileRights(rights) };
  return createHoldsRole({ book: { page: async () => Object.assign(Object.create(null), page) } })(
    actor,
    role,
    production,
  );
}
const grant = (role: Parameters<typeof permissionsOfRole>[0], scope = {}): Right => {
  return { environment: null, service: null, permissions: permissionsOfRole(role), ...scope };
};

describe("a role", () => {
  it("is held by whoever was granted it, or a wider one", async () => {
    expect(await holds("operator", [grant("operator")])).toBe(true);
    expect(await holds("operator", [grant("admin")])).toBe(true);
    expect(await holds("release-manager", [grant("operator")])).toBe(true);
    expect(await holds("admin", [grant("deployer")])).toBe(false);
  });

  it("is held only where it was granted", async () => {
    expect(await holds("operator", [grant("operator", { environment: "production" })])).toBe(true);
    expect(await holds("operator", [grant("operator", { environment: "staging" })])).toBe(false);
    expect(await holds("operator", [grant("operator", { service: "mail" })])).toBe(false);
  });

  it("is held by nobody when it permits nothing or is not known", async () => {
    expect(await holds("nothing", [grant("admin")])).toBe(false);
    expect(await holds("toString", [grant("admin")])).toBe(false);
  });

  it("is held by nobody who is neither a person nor a key", async () => {
    const system = { type: "system", id: "mainstay", name: "Mainstay" };
    expect(await holds("operator", [grant("admin")], system)).toBe(false);
  });
});
