export type { SealedColumn } from "./columns.ts";
export { createKeySource } from "./key-source.ts";
export { openKeys, type HeldKeys } from "./keys.ts";
export { addSealingRoutes } from "./routes.ts";
export { createSealer, type SealedPlace, type Sealer } from "./sealer.ts";
export { createSecrets, type Secrets } from "./secrets.ts";
