export { createKeySource } from "./key-source.ts";
export { openKeys, type HeldKeys } from "./keys.ts";
export { createSealer, type SealedPlace, type Sealer } from "./sealer.ts";
