export type { Channels } from "./channels.ts";
export { createChannelsRoom } from "./room.ts";
export { addChannelsRoutes } from "./routes.ts";
