import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const vitest = join(dirname(createRequire(import.meta.url).resolve("vitest/package.json")), "vitest.mjs");

const CONFIG = `
  import { createClosingLine } from ${JSON.stringify(join(import.meta.dirname, "closing-line.ts"))};
  export default { test: { globals: true, cache: false, reporters: ["default", createClosingLine()] } };
`;

const FILES = {
  "good.test.js": `it("one", () => {}); it("two", () => {});`,
  "bad.test.js": `it("is wrong", () => { throw new Error("no") }); it("is right", () => {});`,
  "left-out.test.js": `describe("a room", () => { it.skip("is not ready", () => {}); }); it("is", () => {});`,
  "unloadable.test.js": `throw new Error("at import");`,
  "hook.test.js": `describe("a room", () => { beforeAll(() => { throw new Error("hook") }); it("x", () => {}); });`,
  "outside.test.js": `it("leaves a rejection behind", () => { void Promise.reject(new Error("nobody waits")); });`,
};

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "closing-line-"));
  await writeFile(join(folder, "vitest.config.js"), CONFIG);
  for (const [name, text] of Object.entries(FILES)) await writeFile(join(folder, name), text);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

interface Run {
  code: number;
  lastLine: string;
  output: string;
}

function run(files: (keyof typeof FILES)[], ci = ""): Promise<Run> {
  const args = [vitest, "run", "--root", folder, ...files];
  const env = { PATH: process.env["PATH"], NO_COLOR: "1", CI: ci };
  return new Promise((resolve) => {
    execFile(process.execPath, args, { env }, (error, stdout) => {
      const lastLine = stdout.trimEnd().split("\n").at(-1) ?? "";
      resolve({ code: error === null ? 0 : Number(error.code), lastLine, output: stdout });
    });
  });
}

describe("the closing line of a test run", () => {
  it("counts what passed and what failed", async () => {
    expect(await run(["good.test.js"])).toMatchObject({ code: 0, lastLine: "2 passed, 0 failed" });
    const both = await run(["good.test.js", "bad.test.js"]);
    expect(both).toMatchObject({ code: 1, lastLine: "3 passed, 1 failed" });
  });

  it("tells of skipped tests on a developer's machine", async () => {
    const leftOut = await run(["left-out.test.js"]);
    expect(leftOut).toMatchObject({ code: 0, lastLine: "1 passed, 0 failed, 1 skipped" });
  });

  it("counts skipped tests as failures in CI and says which they are", async () => {
    const leftOut = await run(["left-out.test.js"], "true");
    expect(leftOut).toMatchObject({ code: 1, lastLine: "1 passed, 1 failed" });
    expect(leftOut.output).toContain("left-out.test.js > a room > is not ready");
  });

  it("counts a file that does not load, a hook that throws and an error that nobody catches", async () => {
    const broken = await run(["unloadable.test.js", "hook.test.js", "outside.test.js"]);
    expect(broken).toMatchObject({ code: 1, lastLine: "1 passed, 3 failed, 1 skipped" });
  });
});
