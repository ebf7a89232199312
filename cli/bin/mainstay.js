#!/usr/bin/env node
// Plain JavaScript that an old Node can read too: finds Node 24 before anything else is loaded.
import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const NEEDED_MAJOR = 24;

function bundledNode() {
  try {
    const require = createRequire(import.meta.url);
    return require.resolve(`node-${process.platform}-${process.arch}/bin/node`);
  } catch {
    return null;
  }
}

if (Number(process.versions.node.split(".")[0]) >= NEEDED_MAJOR) {
  const { enableCompileCache } = await import("node:module");
  enableCompileCache?.();
  const { main } = await import("../src/main.ts");
  process.exitCode = await main(process.argv.slice(2));
} else {
  const node = bundledNode();
  if (node === null) {
    process.stderr.write(
      `mainstay needs Node ${NEEDED_MAJOR} or newer; this is ${process.version}. See https://nodejs.org\n`,
    );
    process.exit(2);
  }
  const args = [fileURLToPath(import.meta.url), ...process.argv.slice(2)];
  const { status } = spawnSync(node, args, { stdio: "inherit" });
  process.exit(status ?? 1);
}
