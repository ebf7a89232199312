import { execFile } from "node:child_process";
import type { Account } from "./account.ts";

const TIMEOUT_MS = 120_000;

/** Runs a program to its end, as the account where one is given; throws with its last words when it fails. */
export function runCommand(command: string[], account?: Account): Promise<void> {
  const [program = "", ...parameters] = [...(account?.wrapper ?? []), ...command];
  const options = { cwd: "/", timeout: TIMEOUT_MS, env: childEnvironment(), ...identity(account) };
  return new Promise((resolve, reject) => {
    execFile(program, parameters, options, (error, stdout, stderr) => {
      if (!error) return resolve();
      const words = `${stderr}${stdout}`.trim().split("\n").slice(-5).join("\n");
      reject(new Error(`${command[0]} failed: ${words || error.message}`, { cause: error }));
    });
  });
}

/** The options of a child process that make it the account's; nothing when we are that account already. */
export function identity(account: Account | undefined): { uid?: number; gid?: number } {
  return account?.isSwitched ? { uid: account.uid, gid: account.gid } : {};
}

/**
 * Nothing of our own environment: PG* variables would alter
 * PostgreSQL's ways, and secrets are none of its business.
 */
export function childEnvironment(): NodeJS.ProcessEnv {
  return { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", LANG: "C", TZ: "UTC" };
}
