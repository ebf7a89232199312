import { once } from "node:events";
import { createServer } from "node:net";
import { describe, expect, it } from "vitest";
import { createPorts, isPortFree, readEphemeralRange } from "./ports.ts";

const EPHEMERAL = { first: 32_768, last: 60_999 };

function portsOf(
  first: number,
  last: number,
  { busy = [] as number[], start = 0, ephemeral = EPHEMERAL } = {},
) {
  return createPorts({ range: { first, last }, ephemeral, isFree: (port) => !busy.includes(port), start });
}

describe("ports", () => {
  it("are given out one after the other, each to one process at a time", () => {
    const ports = portsOf(20_000, 20_002);
    expect([ports.take(), ports.take(), ports.take(), ports.take()]).toEqual([20_000, 20_001, 20_002, null]);
    ports.giveBack(20_001);
    expect([ports.take(), ports.take()]).toEqual([20_001, null]);
  });

  it("are passed over when somebody else uses them, or when they were kept", () => {
    const ports = portsOf(20_000, 20_003, { busy: [20_000] });
    ports.keep(20_002);
    expect([ports.take(), ports.take(), ports.take()]).toEqual([20_001, 20_003, null]);
  });

  it("are never those of outgoing connections", () => {
    expect(portsOf(32_767, 32_770).take()).toBe(32_767);
    expect(portsOf(32_768, 32_770).take()).toBeNull();
  });

  it("begin anywhere in the range", () => {
    expect(portsOf(20_000, 20_009, { start: 0.55 }).take()).toBe(20_005);
  });

  it("are known to be free or not by trying", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    const port = typeof address === "object" && address ? address.port : 0;
    expect(isPortFree(port)).toBe(false);
    server.close();
    await once(server, "close");
    expect(isPortFree(port)).toBe(true);
  });

  it("of outgoing connections are read from the kernel", () => {
    const { first, last } = readEphemeralRange();
    expect(first).toBeGreaterThan(1023);
    expect(last).toBeGreaterThan(first);
  });
});
