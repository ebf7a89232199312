import { existsSync } from "node:fs";
import { chmod, copyFile, cp, mkdir, readFile, realpath, rename, rm } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";

/** The tree this command runs from. */
export const RUNNING_TREE = fileURLToPath(new URL("../../..", import.meta.url));

/** Beside the command line and all that it needs. */
const OTHERS = ["package.json", "LICENSE", "README.md", "CHANGELOG.md", "deploy", "docs"];
/** It brings its own Node as bin/node. */
const NOT_NEEDED = /^node-(linux|darwin|win)-/;
/** Of our own folders. */
const LEFT_OUT = /(\.test\.ts|\/testing|\/node_modules)$/;

const manifest = z.object({
  version: z.string().optional(),
  dependencies: z.record(z.string(), z.string()).default({}),
  optionalDependencies: z.record(z.string(), z.string()).default({}),
});

/** The version of the tree in a directory. */
export async function versionOf(tree: string): Promise<string> {
  const { version } = await readManifest(tree);
  if (version === undefined) throw new Error(`${tree}/package.json names no version`);
  return version;
}

/** Copies what a tree needs to run, and its Node, to a directory that is there whole or not at all. */
export async function copyProgram(source: string, target: string): Promise<void> {
  const partial = `${target}.partial`;
  await rm(partial, { recursive: true, force: true });
  for (const part of await partsOf(source)) {
    const from = path.join(source, part);
    await cp(from, path.join(partial, part), {
      recursive: true,
      // The links of node_modules/@mainstay lead to the workspaces by a path that stays right.
      verbatimSymlinks: true,
      filter: (each) => part.includes("node_modules") || !LEFT_OUT.test(each.slice(from.length)),
    });
  }
  await mkdir(path.join(partial, "bin"), { recursive: true });
  await copyFile(nodeOf(source), path.join(partial, "bin/node"));
  await chmod(path.join(partial, "bin/node"), 0o755);
  await rename(partial, target);
}

/** The parts of a tree, relative to it: the closure of what the command line depends on. */
async function partsOf(source: string): Promise<string[]> {
  const found = new Set(OTHERS.filter((each) => existsSync(path.join(source, each))));
  const visit = async (folder: string) => {
    const { dependencies, optionalDependencies } = await readManifest(path.join(source, folder));
    for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) {
      const at = NOT_NEEDED.test(name) ? null : resolvePackage(source, folder, name);
      // An optional one for another system is not there; a
      // needed one that is missing shows at the first start.
      if (at === null || found.has(at)) continue;
      found.add(at);
      const workspace = path.relative(await realpath(source), await realpath(path.join(source, at)));
      found.add(workspace);
      await visit(workspace);
    }
  };
  await visit("");
  found.add("cli");
  await visit("cli");
  // What lies inside another part is copied with it; a workspace's own node_modules are parts of their own.
  const parts = [...found];
  const isInside = (part: string, other: string) =>
    other.includes("node_modules") && part.startsWith(`${other}/`);
  return parts.filter((part) => !parts.some((other) => isInside(part, other)));
}

/** Node's own way: the nearest node_modules upwards. */
function resolvePackage(source: string, folder: string, name: string): string | null {
  for (let at = folder; ; at = path.dirname(at)) {
    const candidate = path.join(at === "." ? "" : at, "node_modules", name);
    if (existsSync(path.join(source, candidate, "package.json"))) return candidate;
    if (at === "" || at === ".") return null;
  }
}

async function readManifest(folder: string): Promise<z.infer<typeof manifest>> {
  return manifest.parse(JSON.parse(await readFile(path.join(folder, "package.json"), "utf8")));
}

function nodeOf(source: string): string {
  const bundled = [
    path.join(source, "bin/node"),
    path.join(source, `node_modules/node-${process.platform}-${process.arch}/bin/node`),
  ];
  return bundled.find((file) => existsSync(file)) ?? process.execPath;
}
