export type { Channels } from "./channels.ts";
export { createChannelsRoom } from "./room.ts";
export { addChannelsRoutes } from "./routes.ts";
export { createSecretReader } from "./secret-source.ts";
