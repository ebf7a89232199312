import { Visitor, type Expression } from "oxc-parser";
import type { Finding } from "./finding.ts";
import { isProductPath, isTestPath } from "./place.ts";
import type { Repository } from "./repository.ts";
import { lineAt, type Source } from "./source.ts";

/** What reaches out of the program, by rule, and what to take instead. */
const ADVICE = {
  clock: "take a Clock as a parameter",
  randomness: "take the source of randomness as a parameter",
  timer: "take a Clock as a parameter, it has timers too",
  environment: "take configuration as a parameter",
  sleep: "wait for a condition or an event",
};
type Effect = keyof typeof ADVICE;

/** Calls and members by the words with which they are written. */
const BY_NAME: Record<string, Effect> = {
  "Date.now": "clock",
  "performance.now": "clock",
  "process.hrtime": "clock",
  "Math.random": "randomness",
  "process.env": "environment",
  setTimeout: "timer",
  setInterval: "timer",
};
const TIMER_MODULES = new Set(["node:timers", "node:timers/promises"]);

/** Time, randomness and the environment are parameters; tests wait for events, not for time to pass. */
export function checkEffects(repository: Repository): Finding[] {
  return repository.sources.flatMap((source) => {
    if (isProductPath(source.path)) return findEffects(source);
    // What is not TypeScript there are applications for tests to deploy.
    if (!isTestPath(source.path) || !source.path.endsWith(".ts")) return [];
    return findEffects(source)
      .filter((finding) => finding.rule === "timer")
      .map((each) => ({ ...each, rule: "sleep", message: each.message.replace(ADVICE.timer, ADVICE.sleep) }));
  });
}

function findEffects(source: Source): Finding[] {
  const findings: Finding[] = [];
  const add = (name: string, effect: Effect, start: number) =>
    findings.push({
      rule: effect,
      path: source.path,
      line: lineAt(source, start),
      message: `${name}: ${ADVICE[effect]}`,
    });
  const addNamed = (name: string, start: number) => {
    const effect = Object.hasOwn(BY_NAME, name) ? BY_NAME[name] : undefined;
    if (effect) add(name, effect, start);
  };
  new Visitor({
    MemberExpression: (node) => addNamed(nameOf(node), node.start),
    CallExpression: (node) => {
      if (node.callee.type === "Identifier") addNamed(node.callee.name, node.start);
    },
    NewExpression: (node) => {
      const isNow = nameOf(node.callee) === "Date" && node.arguments.length === 0;
      if (isNow) add("new Date()", "clock", node.start);
    },
    ImportDeclaration: (node) => {
      if (TIMER_MODULES.has(node.source.value)) add(node.source.value, "timer", node.start);
    },
  }).visit(source.program);
  return findings;
}

/** `process.env` and `globalThis.process.env` → "process.env"; anything computed has no name. */
function nameOf(node: Expression): string {
  if (node.type === "Identifier") return node.name;
  if (node.type !== "MemberExpression" || node.computed || node.property.type !== "Identifier") return "";
  const owner = nameOf(node.object);
  return owner === "globalThis" ? node.property.name : `${owner}.${node.property.name}`;
}
