import { spawnSync } from "node:child_process";
import type { EngineFacts } from "./choose-engine.ts";

/** Asks the programs themselves; takes some milliseconds. */
export function lookForHaproxy(): Omit<EngineFacts, "hasTls"> {
  return { haproxy: outputOf("haproxy", "-vv"), hasSetpriv: outputOf("setpriv", "--version") !== null };
}

function outputOf(program: string, argument: string): string | null {
  const { status, stdout } = spawnSync(program, [argument], { encoding: "utf8" });
  return status === 0 ? stdout : null;
}
