export { createSelfSigned } from "../../agent/src/system/self-signed.ts";
