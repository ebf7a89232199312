import { readFile } from "node:fs/promises";
import { BUILT_IN_ROLES, PERMISSIONS, permissionsOfRole, type Permission } from "@mainstay/api";
import { expect, test } from "vitest";

const GUIDE = new URL("../docs/guides/access.md", import.meta.url);
const ROW = /^\| `([a-z]+\.[a-z]+)` \| (.+?) \| (.+) \|$/;

test("the guide's table says of every permission who has it, as the code does", async () => {
  const lines = (await readFile(GUIDE, "utf8")).split("\n");
  const told = lines.flatMap((line) => {
    const [, name = "", summary = "", cells = ""] = ROW.exec(line) ?? [];
    return name === "" ? [] : [{ name, summary, cells: cells.split(" | ") }];
  });
  const known = Object.entries(PERMISSIONS).map(([name, { summary }]) => ({
    ...{ name, summary },
    cells: BUILT_IN_ROLES.map((role) => (has(permissionsOfRole(role), name) ? "yes" : "–")),
  }));
  expect(told).toEqual(known);
});

function has(permissions: readonly Permission[], name: string): boolean {
  return permissions.some((each) => each === name);
}
