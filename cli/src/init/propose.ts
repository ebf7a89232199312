import { parseServiceFile } from "@mainstay/api";
import { stringify } from "yaml";
import type { Findings } from "./sources.ts";

export interface Proposal {
  /** The text of the mainstay.yaml. */
  text: string;
  /** What was found where, and what became of it. */
  found: string[];
  /** What nobody could know, and how to set it. */
  unknown: string[];
}

export interface Wishes {
  /** The name of the directory, for a service that nothing else names. */
  directoryName: string;
  health: string | null;
}

const HEALTH_GUESS = "/";
const NAME_LIMIT = 41;

/**
 * A service file from what the directory's files say. A Procfile knows best what
 * runs, then package.json, then a Dockerfile; only the first that says so is used.
 */
export function propose(sources: readonly Findings[], wishes: Wishes): Proposal | null {
  const source = sources.find((each) => Object.keys(each.processes).length > 0);
  if (!source) return null;
  const name = sources.find((each) => each.service)?.service ?? wishes.directoryName;
  const service = asName(name);
  const processes = Object.entries(source.processes).map(
    ([process, command]) => [asName(process), command] as const,
  );
  const release = sources.find((each) => each.release)?.release;
  const document = {
    service,
    processes: Object.fromEntries(
      processes.map(([process, command]) => [process, processOf(process, command)]),
    ),
    ...(release === undefined ? {} : { release: { command: release, compatibility: "expand" } }),
  };
  const text = [...headOf(source), stringify(document, { lineWidth: 0 }).trimEnd(), ""].join("\n");
  parseServiceFile(text, "the proposal");
  return {
    text,
    found: [
      `service ${service}, ${name === wishes.directoryName ? "after the directory" : `named by package.json (${name})`}`,
      ...processes.map(([process, command]) => `process ${process}: ${command} (${source.from})`),
      ...(release === undefined ? [] : [`release command: ${release} (Procfile)`]),
      ...source.notes,
      ...unusedOf(sources, source),
    ],
    unknown: unknownOf(document, wishes),
  };

  function processOf(process: string, command: string) {
    if (process !== "web") return { command };
    return { command, port: "auto", health: { path: wishes.health ?? HEALTH_GUESS } };
  }
}

function headOf({ from }: Findings): string[] {
  return [`# Made by "mainstay init" from ${from}. Every key: docs/reference/service-file.md`];
}

function unusedOf(sources: readonly Findings[], used: Findings): string[] {
  const others = sources.filter((each) => each !== used && Object.keys(each.processes).length > 0);
  return others.map((each) => `${each.from} starts something too; ${used.from} came first.`);
}

interface Proposed {
  processes: Record<string, unknown>;
  release?: { command: string };
}

function unknownOf({ processes, release }: Proposed, { health }: Wishes): string[] {
  const hasWeb = Object.hasOwn(processes, "web");
  return [
    ...(hasWeb && health === null
      ? [
          `where the service says that it is healthy: ${HEALTH_GUESS} is a guess. Set it with --health /healthz.`,
        ]
      : []),
    ...(hasWeb ? ["whether it listens on the variable PORT: it must."] : []),
    ...(hasWeb
      ? []
      : ['which process gets the traffic: none is called "web". Give one a port and a health path.']),
    "which variables it needs: plain ones belong under env:, the names of secret ones under secrets:.",
    ...(release === undefined
      ? []
      : [
          `whether the release before runs on what "${release.command}" leaves behind: expand is a guess, contract and none are the others.`,
        ]),
  ];
}

/** "@acme/My Shop" → "my-shop" */
function asName(text: string): string {
  const name = text
    .replace(/^@[^/]*\//, "")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^[^a-z]+|-+$/g, "")
    .slice(0, NAME_LIMIT);
  return name || "service";
}
