import path from "node:path";
import { AppError } from "@mainstay/api";
import { findingOf, type Finding } from "../../core/changes/index.ts";
import { isInRange } from "./domain/node-range.ts";
import type { Situation } from "./situation.ts";

/** Whether the commands, and the Node that package.json asks for, are on this machine. */
export async function checkRuntime(situation: Situation): Promise<Finding[]> {
  return [...(await checkCommands(situation)), ...(await checkNode(situation))];
}

async function checkCommands({ candidate, machine }: Situation): Promise<Finding[]> {
  const { directory, snapshot } = candidate;
  const found: Finding[] = [];
  for (const [process, { command: line, image }] of Object.entries(snapshot.processes)) {
    // What is in an image, the image brings along.
    const command = image === undefined ? firstWord(line) : null;
    // A command with a path of its own in env is looked for where only the process can say.
    if (command === null || snapshot.env["PATH"] !== undefined) continue;
    if (await machine.hasCommand(command, directory)) continue;
    found.push(findingOf(new AppError("PREFLIGHT_COMMAND", { command, process }), { isForceable: true }));
  }
  return found;
}

/** Null for anything but a plain word: the shell knows what it means, we do not. */
function firstWord(line = ""): string | null {
  const [word = ""] = line.trim().split(/\s+/);
  return /^[A-Za-z0-9_./+-]+$/.test(word) ? word : null;
}

async function checkNode({ candidate, machine }: Situation): Promise<Finding[]> {
  const { directory, snapshot } = candidate;
  const usesNode = Object.values(snapshot.processes).some(
    ({ command, image }) => image === undefined && firstWord(command) === "node",
  );
  const wanted = usesNode ? enginesNode(await machine.readFile(path.join(directory, "package.json"))) : null;
  if (wanted === null || snapshot.env["PATH"] !== undefined) return [];
  const found = await machine.nodeVersion(directory);
  // A machine without node was found already, and what we cannot read is not held against anybody.
  if (found === null || isInRange(found, wanted) !== false) return [];
  return [findingOf(new AppError("PREFLIGHT_NODE", { wanted, found }), { isForceable: true })];
}

function enginesNode(text: string | null): string | null {
  if (text === null) return null;
  try {
    const wanted: unknown = JSON.parse(text).engines?.node;
    return typeof wanted === "string" ? wanted : null;
  } catch {
    return null;
  }
}
