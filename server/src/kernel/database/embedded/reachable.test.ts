import { chmodSync, mkdirSync, symlinkSync } from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createTemporaryDirectory } from "../../../../../tests/support/temporary.ts";
import { chooseDataDirectory, unreachableFor } from "./reachable.ts";

const STRANGER = 4_242;
const IS_ROOT = process.getuid?.() === 0;

let home: ReturnType<typeof createTemporaryDirectory>;
let closed: string;

beforeEach(() => {
  home = createTemporaryDirectory();
  closed = path.join(home.path, "closed");
  mkdirSync(path.join(closed, "inner"), { recursive: true });
  chmodSync(closed, 0o700);
});

afterEach(() => home.remove());

describe("unreachableFor", () => {
  test("names the directory that is closed to the account", () => {
    expect(unreachableFor(path.join(closed, "inner"), STRANGER, STRANGER)).toBe(closed);
  });

  test("passes over what does not exist yet", () => {
    expect(unreachableFor(path.join(home.path, "not", "yet"), STRANGER, STRANGER)).toBe(null);
    expect(unreachableFor(path.join(closed, "not", "yet"), STRANGER, STRANGER)).toBe(closed);
  });

  test("sees through links", () => {
    const link = path.join(home.path, "link");
    symlinkSync(path.join(closed, "inner"), link);
    expect(unreachableFor(link, STRANGER, STRANGER)).toBe(closed);
  });

  test("goes by owner and group before it goes by the others", () => {
    const { uid, gid } = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
    chmodSync(closed, 0o010);
    expect(unreachableFor(closed, STRANGER, gid)).toBe(null);
    chmodSync(closed, 0o001);
    expect(unreachableFor(closed, STRANGER, gid)).toBe(closed);
    expect(unreachableFor(closed, STRANGER, STRANGER)).toBe(null);
    if (uid !== 0) expect(unreachableFor(closed, uid, gid)).toBe(closed);
    chmodSync(closed, 0o700);
  });

  test("nothing is closed to root", () => {
    expect(unreachableFor(closed, 0, 0)).toBe(null);
  });
});

describe("chooseDataDirectory", () => {
  test("an ordinary user keeps the directory that was wanted", () => {
    const wanted = path.join(closed, "data");
    expect(chooseDataDirectory(wanted, { isRoot: false })).toEqual({
      directory: wanted,
      moved: false,
      reason: null,
    });
  });

  test.runIf(IS_ROOT)("root keeps a directory that others can reach, even before it exists", () => {
    const wanted = path.join(home.path, "shop", "data");
    expect(chooseDataDirectory(wanted, { isRoot: true })).toEqual({
      directory: wanted,
      moved: false,
      reason: null,
    });
  });

  test.runIf(IS_ROOT)(
    "root moves below /var/lib/mainstay when only root could reach it, always to the same place",
    () => {
      const wanted = path.join(closed, "my shop", "data");
      const choice = chooseDataDirectory(wanted, { isRoot: true });
      expect(choice.directory).toMatch(/^\/var\/lib\/mainstay\/myshop-[0-9a-f]{8}$/);
      expect(choice).toMatchObject({
        moved: true,
        reason: expect.stringContaining(`may not enter ${closed}`),
      });
      expect(chooseDataDirectory(wanted, { isRoot: true })).toEqual(choice);
      expect(chooseDataDirectory(path.join(closed, "other", "data"), { isRoot: true })).not.toEqual(choice);
    },
  );
});
