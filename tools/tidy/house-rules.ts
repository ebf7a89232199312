import { checkBoundaries } from "./boundaries.ts";
import { checkCircles } from "./circles.ts";
import { checkEffects } from "./effects.ts";
import { checkErrorCodes } from "./error-codes.ts";
import type { Exception } from "./exceptions.ts";
import type { Rule } from "./finding.ts";
import { checkLinks } from "./links.ts";
import { checkNames } from "./names.ts";
import { checkSizes } from "./sizes.ts";
import { checkSwitchedOff } from "./switched-off.ts";
import { checkTypes } from "./types.ts";
import { checkWords } from "./words.ts";

/** What holds in this repository. */
export const RULES: Rule[] = [
  checkBoundaries,
  checkCircles,
  checkSizes,
  checkNames,
  checkWords,
  checkEffects,
  checkTypes,
  checkSwitchedOff,
  checkLinks,
  checkErrorCodes,
];

/** Where it does not hold, and why. */
export const EXCEPTIONS: Exception[] = [
  {
    rules: ["clock", "timer"],
    paths: ["server/src/kernel/clock.ts"],
    reason: "the clock that everybody else takes",
  },
  {
    rules: ["environment"],
    paths: ["server/src/main.ts", "agent/src/parent-main.ts"],
    reason: "entries of processes, which hand on what they read",
  },
  {
    rules: ["environment"],
    paths: ["agent/src/parent/{describe-children,start-parent}.ts", "agent/src/supervisor/agent.ts"],
    reason: "processes are started in the environment of the one that starts them",
  },
  {
    rules: ["clock", "timer"],
    paths: [
      "agent/src/{containers,parent,supervisor}/**",
      "agent/src/haproxy/{engine,engine-process,keeper}.ts",
      "agent/src/proxy/{exchange,listening,successor,worker,worker-control}.ts",
      "agent/src/proxy/{plain-client,problem,request-body,server-behind,tunnel,upstream,waiting-room}.ts",
      "agent/src/system/log.ts",
    ],
    reason: "the agent watches and serves real processes; what it decides takes the time as a parameter",
  },
  {
    rules: ["randomness"],
    paths: ["agent/src/supervisor/agent.ts", "agent/src/{haproxy/keeper,proxy/request-handler}.ts"],
    reason: "spreads ports, and requests without a user, evenly; nobody gains by guessing it",
  },
  {
    rules: ["clock", "timer", "environment"],
    paths: ["cli/src/**"],
    reason: "a command runs once, for one person, at their pace and in their environment",
  },
  {
    rules: ["sleep"],
    paths: ["agent/src/testing/{load,sample-app,tls-load,wait-for}.ts"],
    reason: "how the others wait for a condition, and what makes load",
  },
  {
    rules: ["cast"],
    paths: [
      "agent/src/{agent-main,haproxy-main,parent-main,proxy-main,client}.ts",
      "agent/src/haproxy/keeper.ts",
      "agent/src/proxy/{worker,worker-control}.ts",
      "agent/src/containers/log-position.ts",
      "agent/src/supervisor/{agent-store,call-guard,journal,workers}.ts",
      "cli/src/api-client.ts",
      "cli/src/demo/load-process.ts",
      "cli/src/metrics/{ask-prometheus,import-file}.ts",
    ],
    reason: "read what another process of the same version wrote or said",
  },
  {
    rules: ["cast"],
    paths: ["server/src/signals/metrics/thread/{keeper,main}.ts"],
    reason: "what one thread of a program says to another of the same",
  },
  {
    rules: ["cast"],
    paths: ["server/src/core/{builds,changes,services}/store.ts", "server/src/core/services/tasks-store.ts"],
    reason: "rows of jsonb columns, which Kysely takes as text",
  },
  {
    rules: ["size"],
    paths: ["server/src/compose.ts"],
    about: "compose has",
    reason: "the whole wiring in the order data flows, in one piece on purpose",
  },
  {
    rules: ["size"],
    paths: ["agent/src/proxy/exchange.ts"],
    about: "onResponseStart takes 4",
    reason: "the interface of undici's dispatch",
  },
  {
    rules: ["size"],
    paths: ["agent/src/proxy/exchange.ts"],
    about: "onRequestUpgrade takes 4",
    reason: "the interface of undici's dispatch",
  },
  {
    rules: ["default-export"],
    paths: ["vitest.config.ts", "tests/support/postgres-setup.ts"],
    reason: "vitest reads the default export",
  },
  {
    rules: ["word"],
    paths: ["tools/tidy/{words,rules.test}.ts"],
    reason: "names the words that are banned",
  },
];
