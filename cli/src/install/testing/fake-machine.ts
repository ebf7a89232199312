import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Machine, Ran } from "../machine.ts";

export interface FakeMachine extends Machine {
  /** Every command that altered something, in order. */
  altered: string[];
  /** Programs that fail from now on, by the beginning of their command line. */
  failing: Set<string>;
  remove(): Promise<void>;
}

const DONE: Ran = { exitCode: 0, stdout: "", stderr: "" };
const NO: Ran = { exitCode: 1, stdout: "", stderr: "no" };

/** A Debian in a folder: its files are real, its accounts, packages, roles and units are kept in a set. */
export async function createFakeMachine(): Promise<FakeMachine> {
  const root = await mkdtemp(path.join(tmpdir(), "machine-"));
  const has = new Set<string>();
  const altered: string[] = [];
  const failing = new Set<string>();

  /** What a command makes so, and what it takes away. */
  const effects: [RegExp, (name: string) => void][] = [
    [/^useradd .* (\S+)$/, (name) => has.add(`account ${name}`)],
    [/^userdel (\S+)$/, (name) => has.delete(`account ${name}`)],
    [/^apt-get .* install (\S+)$/, (name) => has.add(`package ${name}`)],
    [/^createuser (\S+)$/, () => has.add("role")],
    [/^createdb .* (\S+)$/, () => has.add("database")],
    [/^dropdb .*$/, () => has.delete("database")],
    [/^dropuser .*$/, () => has.delete("role")],
    [/^systemctl enable --now .*$/, () => has.add("units")],
    [/^systemctl stop .*$/, () => has.delete("units")],
  ];

  async function answer(line: string): Promise<Ran> {
    const yes = (fact: string, stdout = "") => (has.has(fact) ? { ...DONE, stdout } : NO);
    if (line.startsWith("getent passwd ")) return yes(`account ${line.slice(14)}`);
    if (line.startsWith("dpkg-query ")) return yes(`package ${line.split(" ").at(-1)}`, "installed");
    if (line.includes("pg_roles")) return yes("role", "1\n");
    if (line.includes("pg_database")) return yes("database", "1\n");
    if (line.startsWith("systemctl is-")) return yes("units");
    if (line === "pg_isready -q") return DONE;
    altered.push(line.replaceAll(root, ""));
    for (const [pattern, effect] of effects) {
      const match = pattern.exec(line);
      if (match) effect(match[1] ?? "");
    }
    if (line.startsWith("rm -rf ")) await removeAll(line.split(" ").slice(2));
    return DONE;
  }

  return {
    altered,
    failing,
    path: (absolute) => path.join(root, absolute),
    async run(command) {
      const line = command.join(" ");
      if ([...failing].some((each) => line.startsWith(each))) return { ...NO, stderr: "it is broken" };
      return answer(line);
    },
    async chown(absolute, owner) {
      if (!existsSync(path.join(root, absolute))) throw new Error(`there is no ${absolute}`);
      altered.push(`chown ${owner} ${absolute}`);
    },
    remove: () => rm(root, { recursive: true, force: true }),
  };

  async function removeAll(files: string[]): Promise<void> {
    for (const file of files) if (file.startsWith(root)) await rm(file, { recursive: true, force: true });
  }
}
