import { beatResource, channelResource, DELIVERY_STATES, deliveryResource, page } from "@mainstay/api";
import { z } from "zod";
import { originOf, type Http } from "../../kernel/http/index.ts";
import type { Beat } from "./beat.ts";
import type { Channels } from "./channels.ts";

const LIMIT_MAX = 200;

export function addChannelsRoutes(http: Http, { channels, beat }: { channels: Channels; beat: Beat }): void {
  http.route({
    method: "GET",
    url: "/api/v1/channels",
    permission: "channels.read",
    summary: "Who is told of what is wrong, and whether they can be reached",
    response: page(channelResource),
    handler: async () => ({ items: await channels.list(), next: null }),
  });

  http.route({
    method: "POST",
    url: "/api/v1/channels/:name/test",
    permission: "channels.write",
    summary: "Send one message now; answers what came of it",
    params: z.object({ name: z.string() }),
    response: deliveryResource,
    handler: ({ params, ...request }) => channels.test(params.name, originOf(request)),
  });

  http.route({
    method: "GET",
    url: "/api/v1/deliveries",
    permission: "channels.read",
    summary: "What was sent to channels and what came of it, newest first",
    query: z.object({
      channel: z.string().optional(),
      state: z.enum(DELIVERY_STATES).optional(),
      limit: z.coerce.number().int().min(1).max(LIMIT_MAX).default(50),
      cursor: z.string().optional().describe("the `next` of the page before"),
    }),
    response: page(deliveryResource),
    handler: ({ query }) => channels.deliveries(query),
  });

  http.route({
    method: "GET",
    url: "/api/v1/beat",
    permission: "channels.read",
    summary: "The beat by which somebody elsewhere notices that this machine is dead",
    response: beatResource,
    handler: () => beat.show(),
  });
}
