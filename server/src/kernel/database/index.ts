export { databaseMetrics } from "./database-metrics.ts";
export { isLostConnection, unreachable } from "./errors.ts";
export { WITH_NEXT } from "./lean-client.ts";
export { migrate, type MigratedRoom } from "./migrate.ts";
export {
  openDatabase,
  type Database,
  type DatabaseHandle,
  type DatabaseOptions,
  type NoTables,
  type Tx,
} from "./open-database.ts";
export { checkServer } from "./server.ts";
