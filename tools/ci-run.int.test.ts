import { spawn } from "node:child_process";
import { chmod, copyFile, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

/** `.ci/run` with stand-ins for apt-get and npm, which answer what a test puts into their scripts. */
let root = "";
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "ci-run-"));
  await mkdir(join(root, ".ci"));
  await mkdir(join(root, "bin"));
  await copyFile(join(import.meta.dirname, "../.ci/run"), join(root, ".ci/run"));
  await standIn("apt-get", "exit 0");
});
afterEach(() => rm(root, { recursive: true, force: true }));

async function standIn(name: string, script: string): Promise<void> {
  const path = join(root, "bin", name);
  await writeFile(path, `#!/bin/bash\n${script}\n`);
  await chmod(path, 0o755);
}

/** npm answers each step with what is given here, and all else with one passed test. */
function npm(answers: { test?: string; check?: string; conformance?: string; ci?: string }): Promise<void> {
  const {
    test = "echo 5 passed, 0 failed",
    check = 'echo "check: 6 passed, 0 failed"',
    ci = "exit 0",
  } = answers;
  const conformance = answers.conformance ?? 'echo "openapi: 3 passed, 0 failed"';
  return standIn(
    "npm",
    `case "$*" in
      ci*) ${ci} ;;
      test) ${test} ;;
      "run check") ${check} ;;
      "run e2e") echo "2 passed, 0 failed" ;;
      *--list) echo openapi ;;
      *openapi) ${conformance} ;;
    esac`,
  );
}

interface CiRun {
  code: number | null;
  lastLine: string;
  output: string;
}

function runCi(): Promise<CiRun> {
  const child = spawn("bash", [join(root, ".ci/run")], {
    env: { PATH: `${join(root, "bin")}:${process.env["PATH"]}` },
  });
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
  return new Promise((resolve) => {
    child.on("close", (code) =>
      resolve({ code, lastLine: output.trimEnd().split("\n").at(-1) ?? "", output }),
    );
  });
}

describe(".ci/run", () => {
  it("adds up what its steps counted", async () => {
    await npm({});
    expect(await runCi()).toMatchObject({ code: 0, lastLine: "16 passed, 0 failed" });
  });

  it("fails with a test that failed, and goes on to the next step", async () => {
    await npm({ test: "echo 4 passed, 1 failed; exit 1" });
    expect(await runCi()).toMatchObject({ code: 1, lastLine: "15 passed, 1 failed" });
  });

  it("takes a skipped test for a failure", async () => {
    await npm({ test: "echo 4 passed, 0 failed, 1 skipped" });
    expect(await runCi()).toMatchObject({ code: 1, lastLine: "15 passed, 1 failed" });
  });

  it("takes a step that counted nothing for a failure", async () => {
    await npm({ conformance: 'echo "openapi: 0 passed, 0 failed"' });
    const run = await runCi();
    expect(run).toMatchObject({ code: 1, lastLine: "13 passed, 1 failed" });
    expect(run.output).toContain("npm run conformance -- openapi: counted no test");
  });

  it("believes the exit code of a step that says that nothing failed", async () => {
    await npm({ test: "echo 5 passed, 0 failed; exit 1" });
    expect(await runCi()).toMatchObject({ code: 1, lastLine: "16 passed, 1 failed" });
  });

  it("reads counts in colour, and of several lines the last", async () => {
    await npm({ test: "echo 99 passed, 9 failed; printf '\\033[32m5 passed, 0 failed\\033[0m\\n'" });
    expect(await runCi()).toMatchObject({ code: 0, lastLine: "16 passed, 0 failed" });
  });

  it("stops where the packages cannot be installed", async () => {
    await npm({ ci: "echo no registry; exit 1" });
    expect(await runCi()).toMatchObject({ code: 1, lastLine: "0 passed, 1 failed" });
  });
});
