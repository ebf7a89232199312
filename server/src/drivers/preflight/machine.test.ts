import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { expect, it } from "vitest";
import { createMachine } from "./machine.ts";

const machine = createMachine();

it("knows what this machine has: room, commands, Node", async () => {
  expect(await machine.freeDiskBytes(tmpdir())).toBeGreaterThan(0);
  expect(machine.availableMemoryBytes()).toBeGreaterThan(0);
  expect(await machine.hasCommand("sh", tmpdir())).toBe(true);
  expect(await machine.hasCommand("no-such-command", tmpdir())).toBe(false);
  expect(await machine.nodeVersion(tmpdir())).toMatch(/^\d+\.\d+\.\d+$/);
});

it("sees the port that somebody listens on", async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" ? address?.port : null;
  expect([...(await machine.portsInUse())]).toContain(port);
  await new Promise((resolve) => server.close(resolve));
});
