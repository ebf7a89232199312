export { createVerificationDriver } from "./verification-driver.ts";
