import { fileURLToPath } from "node:url";
import type { MigratedRoom } from "./kernel/database/index.ts";

/** Every room that owns tables, in the order its migrations are applied. */
export const ROOMS: readonly MigratedRoom[] = [
  room("events", "./kernel/events/migrations"),
  room("http", "./kernel/http/migrations"),
  room("secrets", "./core/secrets/migrations"),
  room("audit", "./core/audit/migrations"),
  room("identity", "./core/identity/migrations"),
  room("uploads", "./core/uploads/migrations"),
  room("services", "./core/services/migrations"),
  room("builds", "./core/builds/migrations"),
  room("changes", "./core/changes/migrations"),
  room("certificates", "./drivers/certificates/migrations"),
  room("instances", "./drivers/instances/migrations"),
  room("channels", "./drivers/channels/migrations"),
  room("problems", "./signals/problems/migrations"),
];

function room(name: string, directory: string): MigratedRoom {
  return { name, directory: fileURLToPath(new URL(directory, import.meta.url)) };
}
