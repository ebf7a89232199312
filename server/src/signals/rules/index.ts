export { createRules, type Rules, type RulesProblem } from "./rules.ts";
