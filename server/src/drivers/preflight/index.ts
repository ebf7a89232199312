export { createReleaseChecks } from "./release-checks.ts";
