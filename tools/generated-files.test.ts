import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { collectGenerated, findDifferences, writeGenerated } from "./generated-files.ts";

let root = "";
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "generated-"));
});
afterEach(() => rm(root, { recursive: true, force: true }));

const page = { path: "docs/reference/page.md", text: "one\ntwo\n" };

describe("generated files", () => {
  it("are up to date once they are written", async () => {
    expect(await writeGenerated(root, [page])).toEqual([page.path]);
    expect(await readFile(join(root, page.path), "utf8")).toBe(page.text);
    expect(await findDifferences(root, [page])).toEqual([]);
  });

  it("are not written again when nothing changed", async () => {
    await writeGenerated(root, [page]);
    expect(await writeGenerated(root, [page])).toEqual([]);
  });

  it("differ where the first line differs", async () => {
    await writeGenerated(root, [page]);
    expect(await findDifferences(root, [{ ...page, text: "one\nthree\n" }])).toEqual([
      'docs/reference/page.md:2 is "two", the code makes "three"',
    ]);
  });

  it("differ when they were cut short", async () => {
    await writeGenerated(root, [{ ...page, text: "one" }]);
    expect(await findDifferences(root, [page])).toEqual([
      'docs/reference/page.md:2 is "(end)", the code makes "two"',
    ]);
  });

  it("are missed when nobody wrote them", async () => {
    expect(await findDifferences(root, [page])).toEqual(["docs/reference/page.md is missing"]);
  });

  it("share their folder with nothing that no generator makes", async () => {
    await writeGenerated(root, [page]);
    await writeFile(join(root, "docs/reference/old.md"), "old");
    expect(await findDifferences(root, [page])).toEqual(["docs/reference/old.md is made by no generator"]);
  });

  it("come from every generator of the folder, in the order of their names", async () => {
    const folder = join(root, "generators");
    await mkdir(folder);
    const generator = (path: string) =>
      `export const generate = async () => [{ path: "${path}", text: "" }];`;
    await writeFile(join(folder, "b.ts"), generator("b.md"));
    await writeFile(join(folder, "a.ts"), generator("a.md"));
    await writeFile(join(folder, "a.test.ts"), "throw new Error('a test is no generator')");
    expect((await collectGenerated(folder)).map((file) => file.path)).toEqual(["a.md", "b.md"]);
  });

  it("need a generator that exports generate", async () => {
    await writeFile(join(root, "broken.ts"), "export const make = 1;");
    await expect(collectGenerated(root)).rejects.toThrow("broken.ts does not export generate()");
  });
});
