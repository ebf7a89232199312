import { z } from "zod";

/** What the platform asks of both releases where users ask too little; a part of `rollout.judge`. */

const probe = z.strictObject({
  path: z
    .string()
    .startsWith("/", 'expected a path that starts with "/"')
    .describe("Asked of the instances of both releases alike, past the proxy."),
  method: z.enum(["GET", "HEAD"]).default("GET").describe("One that alters nothing."),
  expect: z.int().min(100).max(599).default(200).describe("The status that counts as well."),
});
export type Probe = z.output<typeof probe>;

export const probeList = z.array(probe).max(20);
export const probeRate = z.int().min(1).max(50).default(5);
