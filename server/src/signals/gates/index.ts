export { withComparisons } from "./comparisons.ts";
export { createGateCheck } from "./gate-check.ts";
export { createGateKeeper } from "./gate-keeper.ts";
