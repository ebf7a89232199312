import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { listSuites, runSuite } from "./run-suite.ts";
import type { Suite } from "./suite.ts";

let sharedFolder = "";
beforeEach(async () => {
  sharedFolder = await mkdtemp(join(tmpdir(), "conformance-"));
});
afterEach(() => rm(sharedFolder, { recursive: true }));

async function run(suite: Suite, isCi = false) {
  const lines: string[] = [];
  const installed: string[] = [];
  const isGood = await runSuite("hashes", suite, {
    repositoryFolder: "/repository",
    sharedFolder,
    isCi,
    install: async (packages) => void installed.push(...packages),
    say: (line) => lines.push(line),
  });
  return { isGood, lines, installed };
}

const passing: Suite = {
  about: "",
  run: async () => [
    { name: "a", failure: null },
    { name: "b", failure: null },
  ],
};

describe("a suite", () => {
  it("ends with what it counted", async () => {
    expect(await run(passing)).toMatchObject({ isGood: true, lines: ["hashes: 2 passed, 0 failed"] });
  });

  it("names every failure before it ends", async () => {
    const suite: Suite = {
      about: "",
      run: async () => [
        { name: "a", failure: "1 is not 2" },
        { name: "b", failure: null },
      ],
    };
    expect(await run(suite)).toMatchObject({
      isGood: false,
      lines: ["FAILED a: 1 is not 2", "hashes: 1 passed, 1 failed"],
    });
  });

  it("is not good when it tried nothing", async () => {
    expect(await run({ about: "", run: async () => [] })).toMatchObject({ isGood: false });
  });

  it("finds the data that others wrote and has its programs installed", async () => {
    await mkdir(join(sharedFolder, "vectors"));
    const suite: Suite = {
      about: "",
      data: "vectors",
      debianPackages: ["haproxy"],
      run: async ({ dataFolder }) => [{ name: dataFolder, failure: dataFolder }],
    };
    const { lines, installed } = await run(suite);
    expect(lines[0]).toContain(join(sharedFolder, "vectors"));
    expect(installed).toEqual(["haproxy"]);
  });

  it("is passed over without its data, which in CI is a failure", async () => {
    const suite: Suite = { ...passing, data: "vectors" };
    const passedOver = [
      `hashes is passed over: ${join(sharedFolder, "vectors")} does not exist.`,
      expect.stringContaining("MAINSTAY_CONFORMANCE_DIR"),
      "hashes: 0 passed, 0 failed",
    ];
    expect(await run(suite)).toMatchObject({ isGood: true, lines: passedOver });
    expect(await run(suite, true)).toMatchObject({ isGood: false, lines: passedOver });
  });
});

describe("the list of suites", () => {
  it("holds the folders that have one", async () => {
    for (const folder of ["b", "a", "none"]) await mkdir(join(sharedFolder, folder));
    await writeFile(join(sharedFolder, "a/suite.ts"), "");
    await writeFile(join(sharedFolder, "b/suite.ts"), "");
    expect(await listSuites(sharedFolder)).toEqual(["a", "b"]);
  });
});
