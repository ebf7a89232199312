export { createProber, withProbes } from "./prober.ts";
export { createVerificationDriver } from "./verification-driver.ts";
