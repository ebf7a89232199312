import { expect, it } from "vitest";
import type { WorkerRouting } from "../proxy/worker-protocol.ts";
import { createPublisher } from "./publisher.ts";

it("numbers, pushes and saves each table that differs from the one before", async () => {
  let generation = 1;
  const pushed: WorkerRouting[] = [];
  const saved: number[] = [];
  const publisher = createPublisher({
    content: () => ({ generation, services: [], draining: [] }),
    cookieKey: "key",
    firstRevision: 7,
    push: async (routing) => void pushed.push(routing),
    save: async ({ revision }) => void saved.push(revision),
  });
  await publisher.publish();
  await publisher.publish();
  generation = 2;
  await publisher.publish();
  expect(pushed).toEqual([
    { revision: 7, cookieKey: "key", generation: 1, services: [], draining: [] },
    { revision: 8, cookieKey: "key", generation: 2, services: [], draining: [] },
  ]);
  expect(saved).toEqual([7, 8]);
});
