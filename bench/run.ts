import { existsSync } from "node:fs";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { installDebianPackages } from "../tools/debian-packages.ts";
import type { Bench } from "./bench.ts";
import { formatTable } from "./format-table.ts";
import { describeMachine } from "./machine.ts";

/** `npm run bench -- <name> [arguments]`, or `-- --list`: prints tables, writes bench/results/<name>.json. */
const [name, ...args] = process.argv.slice(2);
const folder = import.meta.dirname;
const names = (await readdir(folder)).filter((each) => existsSync(join(folder, each, "bench.ts"))).toSorted();

if (name === "--list") {
  console.log(names.join("\n"));
} else if (name === undefined || !names.includes(name)) {
  console.error(`Usage: npm run bench -- <name>, one of: ${names.join(", ")}`);
  process.exitCode = 2;
} else {
  const bench: Bench = await import(pathToFileURL(join(folder, name, "bench.ts")).href);
  await installDebianPackages(bench.debianPackages ?? []);
  const startedAt = new Date().toISOString();
  const { tables } = await bench.run({ args });
  for (const table of tables) console.log(formatTable(table));

  const path = join(folder, "results", `${name}.json`);
  await mkdir(join(folder, "results"), { recursive: true });
  await writeFile(
    path,
    `${JSON.stringify({ name, args, startedAt, machine: describeMachine(), tables }, null, 2)}\n`,
  );
  console.log(`Written to bench/results/${name}.json`);
}
