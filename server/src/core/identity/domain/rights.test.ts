import { PERMISSIONS, type Permission } from "@mainstay/api";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compileRights, intersectRights, type Right } from "./rights.ts";

const NAMES = Object.keys(PERMISSIONS).filter((name): name is Permission => name in PERMISSIONS);
const place = fc.constantFrom(null, "staging", "production");
const service = fc.constantFrom(null, "shop", "billing");
const scope = fc.record({ environment: place, service });
const permission = fc.constantFrom(...NAMES.slice(0, 4));
const oneRight = fc.record({
  environment: place,
  service,
  permissions: fc.array(permission, { maxLength: 3 }),
});
const rights = fc.array(oneRight, { maxLength: 4 });

/** The rule as one would say it: some right has the permission and covers the place. */
function naive(list: readonly Right[], wanted: Permission, where: Pick<Right, "environment" | "service">) {
  return list.some(
    (each) =>
      [...each.permissions].includes(wanted) &&
      (each.environment === null || each.environment === where.environment) &&
      (each.service === null || each.service === where.service),
  );
}

describe("rights", () => {
  it("permit what one of them permits in a scope that covers the place, and nothing else", () => {
    fc.assert(
      fc.property(rights, permission, scope, (list, wanted, where) => {
        expect(compileRights(list)(wanted, where)).toBe(naive(list, wanted, where));
      }),
    );
  });

  it("hold for the whole platform only when they are unscoped", () => {
    const can = compileRights([{ environment: "staging", service: null, permissions: ["changes.read"] }]);
    expect(can("changes.read")).toBe(false);
    expect(can("changes.read", "somewhere")).toBe(true);
    expect(can("changes.write", "somewhere")).toBe(false);
    expect(compileRights([])("changes.read", "somewhere")).toBe(false);
  });

  it("do not count names that nobody knows", () => {
    const list = [{ environment: null, service: null, permissions: ["changes.conjure", "constructor"] }];
    // @ts-expect-error no such permission
    expect(compileRights(list)("changes.conjure")).toBe(false);
  });

  it("that are limited by others permit what both permit, exactly", () => {
    fc.assert(
      fc.property(rights, rights, permission, scope, (left, right, wanted, where) => {
        const both = compileRights(intersectRights(left, right));
        expect(both(wanted, where)).toBe(naive(left, wanted, where) && naive(right, wanted, where));
      }),
    );
  });
});
