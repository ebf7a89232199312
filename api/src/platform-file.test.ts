import { describe, expect, it } from "vitest";
import { platformFile } from "./platform-file.ts";

describe("the platform file", () => {
  it("may be empty", () => {
    expect(platformFile.parse({})).toMatchObject({
      dataDirectory: "./data",
      server: {
        host: "127.0.0.1",
        port: 7700,
        bodyLimit: 1024 ** 2,
        requestTimeout: 30_000,
        shutdownTimeout: 10_000,
      },
      proxy: {
        host: "0.0.0.0",
        port: 8080,
        workers: 1,
        requestTimeout: 60_000,
        drainTimeout: 30_000,
        bodyLimit: 1024 ** 3,
        headerLimit: 32_768,
        headerCount: 100,
        headerTimeout: 15_000,
        bodyTimeout: 30_000,
        connectionLimit: 8192,
        holdLimit: 1000,
        trustedProxies: [],
      },
      agent: { portRange: [20_000, 29_999], leaseTtl: 10_000 },
      database: { url: null },
      log: { level: "info", format: "auto" },
      retention: { evidence: 30 * 86_400_000, events: 7 * 86_400_000 },
    });
  });

  it("may leave both ports to the system", () => {
    expect(platformFile.safeParse({ server: { port: 0 }, proxy: { port: 0 } }).success).toBe(true);
  });

  it.each([
    ["one port for both", { server: { port: 8080 } }, "proxy.port"],
    ["the server's port among those of instances", { server: { port: 20_000 } }, "server.port"],
    ["the proxy's port among those of instances", { proxy: { port: 29_999 } }, "proxy.port"],
    ["a range that is too small", { agent: { portRange: [20_000, 20_050] } }, "agent.portRange"],
    ["a limit without sense", { server: { bodyLimit: "1B" } }, "server.bodyLimit"],
    ["a time-out without sense", { server: { requestTimeout: "0s" } }, "server.requestTimeout"],
    ["a network that is none", { proxy: { trustedProxies: ["10.0.0.0/40"] } }, "proxy.trustedProxies.0"],
    ["another database", { database: { url: "mysql://h/d" } }, "database.url"],
  ])("with %s is refused", (_name, file, path) => {
    const { error } = platformFile.safeParse(file);
    expect(error?.issues.map((issue) => issue.path.join("."))).toEqual([path]);
  });
});
