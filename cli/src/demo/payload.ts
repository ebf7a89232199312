import { spawn } from "node:child_process";
import { access } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { CliError, EXIT } from "../cli-error.ts";

const REGISTRY = fileURLToPath(new URL("../../../examples/registry/", import.meta.url));

/** The application that the demo ships: two versions of verdaccio, an npm registry. */
export const PAYLOAD = { stable: path.join(REGISTRY, "6.7.1"), next: path.join(REGISTRY, "6.10.4") };

/** Installs the dependencies of both versions from their lock files, once. */
export async function installPayload(say: (text: string) => void): Promise<void> {
  for (const directory of [PAYLOAD.stable, PAYLOAD.next]) {
    const begin = () => say(`installing verdaccio ${path.basename(directory)} from its lock file …`);
    await installDependencies(directory, begin);
  }
}

/** `npm ci` in an example's directory, unless that was done before; throws when npm cannot do it. */
export async function installDependencies(directory: string, onBegin = () => {}): Promise<void> {
  // npm writes this file last: without it an earlier installation was cut off.
  const isThere = await access(path.join(directory, "node_modules", ".package-lock.json")).then(
    () => true,
    () => false,
  );
  if (isThere) return;
  onBegin();
  await npmCi(directory);
}

function npmCi(directory: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const output: string[] = [];
    const npm = spawn("npm", ["ci", "--prefer-offline", "--no-audit", "--no-fund", "--loglevel=error"], {
      cwd: directory,
      env: cleanEnvironment(),
    });
    for (const stream of [npm.stdout, npm.stderr])
      stream.on("data", (chunk: Buffer) => output.push(chunk.toString()));
    npm.once("error", reject);
    npm.once("close", (code) => {
      if (code === 0) return resolve();
      reject(new CliError(`npm ci failed in ${directory}:\n${output.join("").slice(-2000)}`, EXIT.failed));
    });
  });
}

/** Settings of the npm that started the demo belong to this repository, not to the application. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^npm_(config|package|lifecycle)_/i.test(name)),
  );
}
