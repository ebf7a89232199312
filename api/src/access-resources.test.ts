import { expect, it } from "vitest";
import { newRole } from "./access-resources.ts";

function saidOf(permission: unknown): string[] {
  const { error } = newRole.safeParse({ name: "reader", permissions: [permission] });
  return (error?.issues ?? []).map(({ message }) => message);
}

it("a permission that there is not is answered with the one that was probably meant", () => {
  expect(saidOf("metrics.read")).toEqual([]);
  expect(saidOf("metric.read")).toEqual(['expected a permission; did you mean "metrics.read"?']);
  expect(saidOf("everything")).toEqual([expect.stringContaining("docs/guides/access.md")]);
  expect(saidOf(7)).toEqual([expect.stringContaining("expected a permission")]);
});
