import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
/** Where Debian keeps Go libraries; without modules, so that nothing is fetched. */
const GO = { GO111MODULE: "off", GOPATH: "/usr/share/gocode", GOFLAGS: "" };

/**
 * Programs of others, or at least without a line of the
 * engine: null when the log is whole, else what they say.
 */
export interface Verifier {
  name: string;
  verify(question: Question): Promise<string | null>;
}

export interface Question {
  folder: string;
  vkey: string;
  /** Checkpoints that were kept. */
  checkpoints: readonly string[];
  /** `.tlog-proof` files of entries of the log. */
  proofs: readonly string[];
}

/** Builds the Go program, in a folder of its own. */
export async function createGoVerifier(buildFolder: string): Promise<Verifier> {
  const program = join(buildFolder, "verify");
  const env = { ...process.env, ...GO, GOCACHE: join(buildFolder, "cache") };
  await run("go", ["build", "-o", program, join(import.meta.dirname, "verify.go")], { env });
  return {
    name: "Go",
    verify: ({ folder, vkey, checkpoints, proofs }) =>
      ask(program, [folder, vkey, ...checkpoints, ...proofs]),
  };
}

/** The verifier of the documentation. */
export function createStandAloneVerifier(repositoryFolder: string): Verifier {
  const script = join(repositoryFolder, "docs/verify-log.mjs");
  return {
    name: "verify-log.mjs",
    verify({ folder, vkey, checkpoints, proofs }) {
      const kept = checkpoints.flatMap((path) => ["--retained", path]);
      const files = proofs.flatMap((path) => ["--proof", path]);
      return ask(process.execPath, [script, "--key", vkey, ...kept, ...files, folder]);
    },
  };
}

/** The first line that the program says when it refuses. */
function ask(program: string, args: string[]): Promise<string | null> {
  return new Promise((resolve) => {
    execFile(program, args, (error, stdout, stderr) => {
      if (error === null) resolve(null);
      else resolve(`${stdout}${stderr}`.trim().split("\n")[0] || error.message);
    });
  });
}
