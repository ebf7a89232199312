import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readRepository, resolveImport } from "./repository.ts";

let root = "";
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "tidy-"));
});
afterEach(() => rm(root, { recursive: true, force: true }));

async function write(path: string, text: string): Promise<void> {
  await mkdir(dirname(join(root, path)), { recursive: true });
  await writeFile(join(root, path), text);
}

describe("the repository", () => {
  it("holds code, what people read, and every path, but nothing that was installed or built", async () => {
    await write("api/src/index.ts", "export const a = 1;");
    await write("docs/guide.md", "# Guide");
    await write("docs/picture.png", "");
    await write("node_modules/x/index.js", "syntax error (");
    const repository = await readRepository(root);
    expect(repository.sources.map((source) => source.path)).toEqual(["api/src/index.ts"]);
    expect(repository.documents.map((document) => document.path)).toEqual(["docs/guide.md"]);
    expect([...repository.paths].toSorted()).toEqual(
      ["api", "api/src", "api/src/index.ts", "docs", "docs/guide.md", "docs/picture.png"].toSorted(),
    );
  });

  it("knows where the entry points of a workspace lead", async () => {
    await write(
      "agent/package.json",
      '{ "name": "@mainstay/agent", "exports": { "./client": "./src/client.ts" } }',
    );
    const repository = await readRepository(root);
    expect(resolveImport(repository, "server/src/a.ts", "@mainstay/agent/client")).toBe(
      "agent/src/client.ts",
    );
    expect(resolveImport(repository, "server/src/a.ts", "@mainstay/agent")).toBeNull();
    expect(resolveImport(repository, "server/src/a.ts", "../b.ts")).toBe("server/b.ts");
    expect(resolveImport(repository, "server/src/a.ts", "fastify")).toBeNull();
  });

  it("says which file is no code", async () => {
    await write("agent/src/broken.ts", "const = ;");
    await expect(readRepository(root)).rejects.toThrow("agent/src/broken.ts cannot be parsed");
  });
});
