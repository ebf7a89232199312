import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { compileAhead, ENTRIES } from "@mainstay/agent";
import { SERVER_ENTRY } from "@mainstay/server";
import { Command } from "commander";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { COMMANDS } from "./commands.ts";

const run = promisify(execFile);
const LAUNCHER = fileURLToPath(new URL("../bin/mainstay.js", import.meta.url));
/** Tells at the end which modules were loaded from files, and which of Node's own. */
const WITNESS = `data:text/javascript,${encodeURIComponent(`
  import { registerHooks } from "node:module";
  const loaded = [];
  registerHooks({ load(url, context, next) { loaded.push(url); return next(url, context); } });
  process.on("exit", () => process.stderr.write(JSON.stringify([...loaded, ...process.moduleLoadList])));
`)}`;

const entryOf = (name: string): string => ENTRIES.find((each) => each.includes(`/${name}-main`)) ?? "";

describe("the registry of commands", () => {
  it.each(COMMANDS.map((each) => [each.names.join(" and "), each] as const))(
    "loads %s by exactly these words",
    async (_names, { names, add }) => {
      const program = new Command();
      const withContext = async () => {};
      await add({
        server: [program, withContext],
        own: [program, withContext],
        print: () => {},
        wholeProgram: async () => program,
      });
      expect(program.commands.map((each) => each.name())).toEqual(names);
    },
  );
});

describe("what a process loads", () => {
  let cache: string;

  beforeAll(async () => {
    cache = await mkdtemp(path.join(tmpdir(), "mainstay-loading-"));
    await compileAhead([...ENTRIES, SERVER_ENTRY], cache);
  }, 120_000);
  afterAll(() => rm(cache, { recursive: true, force: true }));

  async function loadedBy(...args: string[]): Promise<string> {
    const env = { ...process.env, NODE_COMPILE_CACHE: cache };
    const { stderr } = await run(process.execPath, ["--import", WITNESS, ...args], { env });
    return stderr;
  }

  it.each(["status", "logs", "change", "scale", "rollback"])(
    "is neither schemas nor YAML for mainstay %s",
    async (command) => {
      expect(await loadedBy(LAUNCHER, command, "--help")).not.toMatch(/node_modules\/(zod|yaml|undici)\//);
    },
  );

  it.each(["parent", "agent", "proxy", "haproxy"])("is no schema of the API for the %s", async (name) => {
    expect(await loadedBy(entryOf(name), "--compile")).not.toMatch(/node_modules\/(zod|yaml|@mainstay)\//);
  });

  it.each([...ENTRIES, SERVER_ENTRY].map((entry) => [path.basename(entry, ".ts"), entry]))(
    "is not what strips types for %s, once it was compiled ahead",
    async (_name, entry) => {
      const loaded = await loadedBy(entry, "--compile");
      expect(loaded).toContain("NativeModule fs");
      expect(loaded).not.toContain("amaro");
    },
  );
});
