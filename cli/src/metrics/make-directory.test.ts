import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { makeDirectory } from "./make-directory.ts";

let root: string;
beforeAll(async () => void (root = await mkdtemp(path.join(tmpdir(), "mainstay-make-directory-"))));
afterAll(() => rm(root, { recursive: true, force: true }));

it("a directory is made with those above it, and an empty one is taken as it is", async () => {
  const directory = path.join(root, "a/b/c");
  makeDirectory(directory);
  makeDirectory(directory);
  expect(await readdir(directory)).toEqual([]);
});

it("where something lies already nothing is made", async () => {
  await writeFile(path.join(root, "file"), "");
  expect(() => makeDirectory(root)).toThrow(/is not empty$/);
  expect(() => makeDirectory(path.join(root, "file"))).toThrow(/cannot be written: ENOTDIR/);
  expect(() => makeDirectory(path.join(root, "file/below"))).toThrow(/cannot be written: ENOTDIR/);
});

it.runIf(process.platform === "linux")("where the system takes no directories it says so and ends", () => {
  expect(() => makeDirectory("/proc/blocks/of/today")).toThrow(/\/proc\/blocks.* cannot be written: /);
});
