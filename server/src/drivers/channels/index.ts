export type { Channels } from "./channels.ts";
export { callHttp, failureOf } from "./http-call.ts";
export { createChannelsRoom } from "./room.ts";
export { addChannelsRoutes } from "./routes.ts";
