import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { Command } from "commander";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readCommandTree } from "./command-tree.ts";
import { completionScript, SHELLS } from "./scripts.ts";

const run = promisify(execFile);
let folder = "";

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "mainstay-completion-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

function createProgram(): Command {
  const program = new Command("mainstay")
    .option("--json", "a document")
    .option("--remote <name>", "a server");
  program.command("deploy").argument("[directory]").option("--check", "isn't shipped; only shown");
  const change = program.command("change").description("Look at changes");
  change.command("show <id>").description("One change: all of it");
  change.command("secret", { hidden: true });
  const releases = program.command("releases");
  releases.command("list", { isDefault: true }).argument("[service]");
  return program;
}

describe("the command tree", () => {
  it("holds every command that help shows, with the options of the program behind each", () => {
    const nodes = readCommandTree(createProgram());
    expect(nodes.map((each) => each.path.join(" "))).toEqual([
      ...["", "deploy", "change", "change show", "releases", "releases list"],
    ]);
    const show = nodes.find((each) => each.path.join(" ") === "change show");
    expect(show).toMatchObject({ names: "changes" });
    expect(show?.options.map((each) => each.flags[0])).toEqual(["--json", "--remote", "--help"]);
    expect(nodes.find((each) => each.path.join(" ") === "releases")?.names).toBe("services");
  });
});

/** What bash would offer after these words; the last one is being typed. */
async function offered(...words: string[]): Promise<string[]> {
  const script = path.join(folder, "mainstay.bash");
  await writeFile(script, completionScript("bash", readCommandTree(createProgram())));
  const typed = words.map((word) => `'${word}'`).join(" ");
  const lines = [
    `source ${script}`,
    'mainstay() { [[ $2 = names ]] && echo "$3-1 $3-2"; }',
    `COMP_WORDS=(mainstay ${typed}); COMP_CWORD=${words.length}; _mainstay; echo "\${COMPREPLY[@]}"`,
  ];
  const { stdout } = await run("bash", ["--norc", "-c", lines.join("\n")]);
  return stdout.trim().split(" ").filter(Boolean);
}

describe("bash", () => {
  it("is offered commands, subcommands and options", async () => {
    expect(await offered("")).toEqual([
      ...["deploy", "change", "releases", "help"],
      ...["--json", "--remote", "--help", "-h"],
    ]);
    expect(await offered("change", "s")).toEqual(["show"]);
    expect(await offered("--json", "deploy", "--ch")).toEqual(["--check"]);
  });

  it("is offered names of what exists, where one is expected", async () => {
    expect(await offered("change", "show", "changes-")).toEqual(["changes-1", "changes-2"]);
    expect(await offered("deploy", "--remote", "")).toEqual(["remotes-1", "remotes-2"]);
    expect(await offered("releases", "services")).toEqual(["services-1", "services-2"]);
  });
});

describe("every shell", () => {
  it.each(SHELLS)("gets every word of every command (%s)", (shell) => {
    const script = completionScript(shell, readCommandTree(createProgram()));
    for (const word of ["deploy", "change", "show", "releases", "json", "check"])
      expect(script).toContain(word);
    expect(script).not.toContain("secret");
  });
});
