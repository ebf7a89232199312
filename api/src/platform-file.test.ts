import { describe, expect, it } from "vitest";
import { TOPICS } from "./messages-file.ts";
import { platformFile } from "./platform-file.ts";

const HOOK = { kind: "webhook", url: "https://example.com/hook", secrets: [{ env: "SECRET" }] };
const ACCOUNT = { host: "mail.example.com", user: "ops", password: { env: "PASSWORD" } };
const MAIL = { kind: "email", from: "a@example.com", to: ["b@example.com"], smtp: ACCOUNT };

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

  it("tells every channel of everything unless it says otherwise", () => {
    const { channels } = platformFile.parse({ channels: { hook: HOOK, mail: MAIL } });
    expect(channels["hook"]).toMatchObject({ events: [...TOPICS], groupWithin: 600_000 });
    expect(channels["mail"]).toMatchObject({ smtp: { tls: "starttls" }, events: [...TOPICS] });
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
    ["more series than the heap holds", { metrics: { cardinality: { series: 1_000_000 } } }, "metrics.heap"],
    [
      "a label of our own for others",
      { metrics: { reservedNames: { label: "arm" } } },
      "metrics.reservedNames.label",
    ],
    ["a channel of no kind there is", { channels: { ops: { kind: "pigeon" } } }, "channels.ops.kind"],
    ["a channel with a name that is none", { channels: { "Ops!": {} } }, "channels.Ops!"],
    ["an event that is none", { channels: { ops: { ...HOOK, events: ["all"] } } }, "channels.ops.events.0"],
    [
      "a secret in the file itself",
      { channels: { ops: { ...HOOK, secrets: ["whsec_"] } } },
      "channels.ops.secrets.0",
    ],
    [
      "a secret that is kept in two places",
      { channels: { ops: { ...HOOK, secrets: [{ env: "A", file: "b" }] } } },
      "channels.ops.secrets.0",
    ],
    ["a password in a URL", { channels: { ops: { ...HOOK, url: "https://a:b@c" } } }, "channels.ops.url"],
    ["a beat that is no URL", { beat: { url: "hc-ping.com" } }, "beat.url"],
    ["an e-mail to nobody", { channels: { ops: { ...MAIL, to: [] } } }, "channels.ops.to"],
    [
      "a password that would be sent in the clear",
      { channels: { ops: { ...MAIL, smtp: { ...ACCOUNT, tls: "none" } } } },
      "channels.ops.smtp.tls",
    ],
    [
      "a password without its user",
      { channels: { ops: { ...MAIL, smtp: { host: "mail", password: { env: "A" } } } } },
      "channels.ops.smtp.user",
    ],
    ["a network that is none", { proxy: { trustedProxies: ["10.0.0.0/40"] } }, "proxy.trustedProxies.0"],
    ["another database", { database: { url: "mysql://h/d" } }, "database.url"],
  ])("with %s is refused", (_name, file, path) => {
    const { error } = platformFile.safeParse(file);
    expect(error?.issues.map((issue) => issue.path.join("."))).toEqual([path]);
  });
});
