import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { createLog } from "../system/log.ts";
import type { Order } from "../supervisor/way.ts";
import { createContainerWay } from "./container-way.ts";
import type { ContainerEngine, ContainerPlan, ContainerState } from "./engine.ts";

const ENDED: ContainerState = { id: "c1", isRunning: false, pid: 0, exitCode: 137, isOutOfMemory: true };

let directory: string;
beforeEach(() => void (directory = mkdtempSync(join(tmpdir(), "container-"))));
afterEach(() => rmSync(directory, { recursive: true }));

/** An engine whose containers end as they are told to, with what was asked of it. */
function fakeEngine(answers: Partial<ContainerEngine>) {
  const made: ContainerPlan[] = [];
  const removed: string[] = [];
  const engine: ContainerEngine = {
    image: async () => null,
    pull: async () => Promise.reject(new Error("not asked for")),
    removeImage: async () => false,
    create: async (plan) => (made.push(plan), "c1"),
    start: async () => {},
    inspect: async () => ENDED,
    wait: async () => {},
    signal: async () => {},
    remove: async (id) => void removed.push(id),
    list: async () => [],
    logs: async () => Promise.reject(new Error("no logs here")),
    ...answers,
  };
  const images = { resolve: async (image: string) => image };
  return {
    made,
    removed,
    way: createContainerWay({ agentId: "a", engine, images, log: createLog("test", () => {}) }),
  };
}

function order(changes: Partial<Order> = {}): Order {
  return {
    ...{
      id: "ins_1",
      service: "shop",
      command: null,
      directory: "/",
      port: 20_001,
      once: false,
      input: null,
    },
    ...{
      container: { image: "shop@sha256:1", port: 8080 },
      environment: { A: "1" },
      logDirectory: directory,
    },
    resources: { memoryBytes: 1024, cpu: 0.5 },
    ...changes,
  };
}

it("tells that a container ended for its memory where the engine says so", async () => {
  const { way } = fakeEngine({});
  const life = await way.launch(order());
  expect(await life.exited).toEqual({ code: 137, signal: null, cause: "memory" });
});

it("leaves nothing of a container that could not be started", async () => {
  const refusing = fakeEngine({ start: async () => Promise.reject(new Error("port is in use")) });
  await expect(refusing.way.launch(order())).rejects.toThrow("port is in use");
  expect(refusing.removed).toEqual(["c1"]);
});

it("takes away what is left of an instance before it starts it again", async () => {
  const { way, made, removed } = fakeEngine({ list: async () => [{ id: "c0", labels: {} }] });
  await way.launch(order());
  expect([removed, made[0]?.port, made[0]?.command]).toEqual([
    ["c0"],
    { inside: 8080, outside: 20_001 },
    null,
  ]);
});
