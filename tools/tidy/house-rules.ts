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
    rules: ["word"],
    paths: ["tools/tidy/{words,rules.test}.ts"],
    reason: "names the words that are banned",
  },
  {
    rules: ["default-export"],
    paths: ["vitest.config.ts", "tests/support/postgres-setup.ts"],
    reason: "vitest reads the default export",
  },
  {
    rules: ["clock", "timer"],
    paths: ["server/src/kernel/clock.ts"],
    reason: "the clock that everybody else takes",
  },
  {
    rules: ["clock", "timer", "environment"],
    paths: ["cli/src/**"],
    reason: "a command runs once, for one person, at their pace and in their environment",
  },
];
