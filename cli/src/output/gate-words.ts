import type { ChangeResource, GateResource } from "@mainstay/api";

const STATE_WORDS: Readonly<Record<GateResource["state"], string>> = {
  passed: "passed",
  broken: "fails",
  "no-data": "no data",
  waiting: "waiting",
};

/** A gate's name, where it stands, and the numbers. */
export function gateLine({ name, state, reason }: GateResource): string {
  return `${name}: ${STATE_WORDS[state]} (${reason})`;
}

/** Those that are in the way, in a few words; empty when none is. */
export function gateWords({ gates }: Pick<ChangeResource, "gates">): string {
  const open = gates.filter(({ state }) => state !== "passed");
  return open.map(({ name, state }) => `gate ${name}: ${STATE_WORDS[state]}`).join(", ");
}
