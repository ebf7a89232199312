import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AppError, platformFile } from "@mainstay/api";
import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { checkConfig, CONFIG_FILE, describeConfig, loadConfig, PLATFORM_KEYS } from "./index.ts";

let cwd = "";
beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), "config-"));
});
afterEach(() => rm(cwd, { recursive: true, force: true }));

const write = (text: string, name = CONFIG_FILE) => writeFile(join(cwd, name), text);

async function findingsOf(
  request: { env?: Record<string, string>; overrides?: Record<string, string> } = {},
) {
  const { findings } = await checkConfig({ cwd, env: {}, ...request });
  return Object.fromEntries(findings.map(({ path, message }) => [path, message]));
}

describe("the configuration", () => {
  it("needs no file", async () => {
    const { config, file, sources } = await loadConfig({ cwd, env: {} });
    expect(file).toBe(null);
    expect(config).toEqual({ ...platformFile.parse({}), dataDirectory: join(cwd, "data") });
    expect(sources["server.port"]).toEqual({ kind: "default", name: "default" });
  });

  it("takes flag before variable before file before default", async () => {
    await write("server: { port: 1111, host: ::1, bodyLimit: 2MiB }\nproxy: { workers: 3 }");
    const env = {
      MAINSTAY_SERVER_PORT: "2222",
      MAINSTAY_SERVER_HOST: "localhost",
      MAINSTAY_PROXY_PORT: "9999",
    };
    const { config, sources } = await loadConfig({ cwd, env, overrides: { "server.port": "3333" } });
    expect(config.server).toMatchObject({ port: 3333, host: "localhost", bodyLimit: 2 * 1024 ** 2 });
    expect(config.proxy).toMatchObject({ workers: 3, port: 9999, requestTimeout: 60_000 });
    expect(
      ["server.port", "server.host", "server.bodyLimit", "proxy.drainTimeout"].map((path) => sources[path]),
    ).toEqual([
      { kind: "flag", name: "the flag for server.port" },
      { kind: "env", name: "MAINSTAY_SERVER_HOST" },
      { kind: "file", name: CONFIG_FILE },
      { kind: "default", name: "default" },
    ]);
  });

  it("finds the files that channels name beside its own, and shows no secret", async () => {
    await write(`channels:
  hook:
    kind: webhook
    url: https://example.com/token
    secrets: [{ file: hook.secret }, { env: OLDER }]
  mail:
    kind: email
    from: a@example.com
    to: [b@example.com]
    smtp: { host: mail, user: ops, password: { file: keys/mail }, caFile: /etc/ca.pem }
beat: { url: https://ping.example.com/token }`);
    const loaded = await loadConfig({ cwd, env: {} });
    expect(loaded.config.channels).toMatchObject({
      hook: { secrets: [{ file: join(cwd, "hook.secret") }, { env: "OLDER" }] },
      mail: { smtp: { password: { file: join(cwd, "keys/mail") }, caFile: "/etc/ca.pem" } },
    });
    const rows = describeConfig(loaded).map(({ path, value }) => [path, value]);
    expect(Object.fromEntries(rows)).toMatchObject({
      channels: "***",
      "beat.url": "https://ping.example.com/***",
    });
  });

  it("reads numbers, lists and durations from variables as from the file", async () => {
    const env = {
      MAINSTAY_AGENT_PORT_RANGE: "[21000, 22000]",
      MAINSTAY_AGENT_LEASE_TTL: "1m30s",
      MAINSTAY_SERVER_PORT: "0",
    };
    const { config } = await loadConfig({ cwd, env });
    expect(config.agent).toMatchObject({ portRange: [21_000, 22_000], leaseTtl: 90_000 });
    expect(config.server.port).toBe(0);
  });

  it("takes an empty variable as not set", async () => {
    const { config } = await loadConfig({ cwd, env: { MAINSTAY_SERVER_PORT: "", DATABASE_URL: "" } });
    expect([config.server.port, config.database.url]).toEqual([7700, null]);
  });

  it("knows DATABASE_URL, and its own variable better", async () => {
    const env = { DATABASE_URL: "postgres://one@h/d" };
    expect((await loadConfig({ cwd, env })).config.database.url).toBe("postgres://one@h/d");
    const both = { ...env, MAINSTAY_DATABASE_URL: "postgres://two@h/d" };
    expect((await loadConfig({ cwd, env: both })).config.database.url).toBe("postgres://two@h/d");
  });

  it("reads the data directory relative to the file or else the working directory", async () => {
    await mkdir(join(cwd, "etc"));
    await write("dataDirectory: ../kept", "etc/platform.yaml");
    const inFile = await loadConfig({ cwd, env: {}, file: "etc/platform.yaml" });
    expect(inFile.config.dataDirectory).toBe(join(cwd, "kept"));
    const env = { MAINSTAY_DATA_DIRECTORY: "kept" };
    const inVariable = await loadConfig({ cwd, env, file: "etc/platform.yaml" });
    expect(inVariable.config.dataDirectory).toBe(join(cwd, "kept"));
  });

  it("reads the files it names relative to itself", async () => {
    await write(
      "acme: { caFile: ca.pem }\nproxy: { tls: { certificates: [{ cert: a.crt, key: /etc/a.key }] } }",
    );
    const { config } = await loadConfig({ cwd, env: { MAINSTAY_DATA_DIRECTORY: "elsewhere" } });
    expect(config.acme.caFile).toBe(join(cwd, "ca.pem"));
    expect(config.proxy.tls.certificates).toEqual([{ cert: join(cwd, "a.crt"), key: "/etc/a.key" }]);
  });

  it("reads the files of receivers of remote-write relative to itself", async () => {
    await write(`
metrics:
  remoteWrite:
    - url: https://there.example/write
      basicAuth: { username: ann, password: { file: secret } }
      headers: { X-Plain: text, X-Kept: { file: /etc/kept } }
      tlsConfig: { caFile: ca.pem }
`);
    const { config } = await loadConfig({ cwd, env: {} });
    expect(config.metrics.remoteWrite[0]).toMatchObject({
      basicAuth: { password: { file: join(cwd, "secret") } },
      headers: { "X-Plain": "text", "X-Kept": { file: "/etc/kept" } },
      tlsConfig: { caFile: join(cwd, "ca.pem") },
    });
  });

  it("reads the files of the remote metrics store relative to whatever names them", async () => {
    await mkdir(join(cwd, "etc"));
    await write(
      "metrics: { remote: { basicAuth: { username: a, password: { file: p } }, tlsConfig: { caFile: ca.pem } } }",
      "etc/platform.yaml",
    );
    const env = { MAINSTAY_METRICS_REMOTE_TLS_CONFIG_CA_FILE: "ca.pem" };
    const { config } = await loadConfig({ cwd, env, file: "etc/platform.yaml" });
    expect(config.metrics.remote).toMatchObject({
      basicAuth: { password: { file: join(cwd, "etc/p") } },
      tlsConfig: { caFile: join(cwd, "ca.pem"), certFile: null },
    });
  });

  it("takes what belongs together from one variable", async () => {
    const env = { MAINSTAY_METRICS_REMOTE_AUTHORIZATION: "{ credentials: { env: TOKEN } }" };
    const { config } = await loadConfig({ cwd, env });
    expect(config.metrics.remote.authorization).toEqual({ type: "Bearer", credentials: { env: "TOKEN" } });
    const half = { MAINSTAY_METRICS_REMOTE_TLS_CONFIG_CERT_FILE: "cert.pem" };
    expect(await findingsOf({ env: half })).toEqual({
      "metrics.remote.tlsConfig.keyFile": expect.stringContaining("expected a certificate and its key"),
    });
  });

  it("does not repeat a secret that stands where its whereabouts belong", async () => {
    await write(`
metrics:
  remote: { url: "https://there.example", basicAuth: "ann:hunter2" }
  remoteWrite:
    - url: https://there.example/write
      authorization: { credentials: hunter2 }
`);
    const findings = await findingsOf({});
    expect(Object.keys(findings)).toEqual([
      "metrics.remote.basicAuth",
      "metrics.remoteWrite.0.authorization.credentials",
    ]);
    expect(JSON.stringify(findings)).toContain("says ***");
    expect(JSON.stringify(findings)).not.toContain("hunter2");
  });

  it("refuses rules of relabelling that cannot be followed", async () => {
    await write(`
metrics:
  remoteWrite:
    - url: https://there.example/write
      writeRelabelConfigs: [{ targetLabel: a, regex: a.* }, { targetLabel: a, regex: ( }, { action: hashmod }]
`);
    expect(await findingsOf({})).toMatchObject({
      "metrics.remoteWrite.0.writeRelabelConfigs.1": expect.stringContaining('"(" is no regular expression'),
      "metrics.remoteWrite.0.writeRelabelConfigs.2": expect.stringContaining("hashmod needs a modulus"),
    });
  });

  it("ignores the variables of the command line and of other programs", async () => {
    const env = { MAINSTAY_URL: "http://x", MAINSTAY_TOKEN: "t", PORT: "1", HOME: "/" };
    expect(await findingsOf({ env })).toEqual({});
  });
});

describe("a wrong configuration", () => {
  it("is told with every path, the file or variable, the value and what was expected", async () => {
    await write("server: { port: 70000 }\nlog: { level: loud }\nproxy: { requestTimeout: 5 }\nagent: [1]");
    const env = { MAINSTAY_SERVER_BODY_LIMIT: "1 Meg", MAINSTAY_PROXY_WORKERS: "many" };
    expect(await findingsOf({ env, overrides: { "retention.events": "1s" } })).toEqual({
      "server.port": `expected a port from 0 to 65535; ${CONFIG_FILE} says 70000`,
      "server.bodyLimit":
        'expected a size such as "512MiB" or "1GB"; MAINSTAY_SERVER_BODY_LIMIT says "1 Meg"',
      "proxy.requestTimeout": `expected a duration such as "500ms", "10s" or "1h30m"; ${CONFIG_FILE} says 5`,
      "proxy.workers": 'expected a whole number from 1 to 64; MAINSTAY_PROXY_WORKERS says "many"',
      "log.level": `expected "debug", "info", "warn" or "error"; ${CONFIG_FILE} says "loud"`,
      "retention.events": 'expected a duration from 1h to 3650d; the flag for retention.events says "1s"',
      agent: "expected keys with values",
    });
  });

  it("is refused as a whole, by the name of its file", async () => {
    await write("server: { port: -1 }");
    const refused = loadConfig({ cwd, env: {} });
    await expect(refused).rejects.toThrow(`${CONFIG_FILE} is not a valid configuration`);
    await expect(refused).rejects.toMatchObject({
      code: "CONFIG_INVALID",
      errors: [{ path: "server.port" }],
    });
  });

  it("without a file is the environment's", async () => {
    const refused = loadConfig({ cwd, env: { MAINSTAY_SERVER_PORT: "x" } });
    await expect(refused).rejects.toThrow("the environment is not a valid configuration");
  });

  it("names unknown keys, variables and flags, and what was probably meant", async () => {
    await write("servr: { port: 1 }\nport: 7700\nserver: { prot: 1, workers: 2 }\nlog: { colour: red }");
    const env = { MAINSTAY_SERVER_PROT: "1", MAINSTAY_WHATEVER: "1" };
    expect(await findingsOf({ env, overrides: { "sever.port": "1" } })).toEqual({
      servr: 'unknown key; did you mean "server"?',
      port: "unknown key; did you mean server.port or proxy.port or proxy.tls.port or metrics.statsd.port?",
      "server.prot": 'unknown key; did you mean "port"?',
      "server.workers": "unknown key; did you mean proxy.workers?",
      "log.colour": "unknown key; expected level or format",
      MAINSTAY_SERVER_PROT: "unknown variable; did you mean MAINSTAY_SERVER_PORT?",
      MAINSTAY_WHATEVER: "unknown variable; docs/reference/configuration.md lists them all",
      "sever.port": "unknown key; did you mean server.port?",
    });
  });

  it("never shows a secret", async () => {
    const env = { DATABASE_URL: "mysql://user:hunter2@host/db" };
    expect(await findingsOf({ env })).toEqual({
      "database.url": "expected a URL such as postgres://user@host/database; DATABASE_URL says ***",
    });
  });

  it("refuses ports that get in each other's way", async () => {
    expect(await findingsOf({ overrides: { "server.port": "8080" } })).toEqual({
      "proxy.port": "expected another port than server.port, 8080; the default is 8080",
    });
    expect(await findingsOf({ overrides: { "proxy.port": "20000" } })).toEqual({
      "proxy.port":
        "expected a port outside agent.portRange, 20000 to 29999; the flag for proxy.port says 20000",
    });
    expect(await findingsOf({ overrides: { "agent.portRange": "[30000, 20000]" } })).toEqual({
      "agent.portRange":
        "expected the first and the last of at least 100 ports; the flag for agent.portRange says [30000,20000]",
    });
  });

  it("refuses a host for the API that nothing leads to", async () => {
    await write("server: { publicHost: ops.example.com }");
    expect((await findingsOf())["server.publicHost"]).toMatch(/none without proxy.tls.port/);
    await write("server: { publicHost: ops.example.com }\nproxy: { tls: { port: 8443 } }");
    expect(await findingsOf()).toEqual({});
    await write("proxy: { tls: { port: 8080 } }");
    expect((await findingsOf())["proxy.tls.port"]).toMatch(/another port than server.port and proxy.port/);
  });

  it("says where a file is not YAML", async () => {
    await write("server:\n  port: 1\n  port: 2");
    expect(await findingsOf()).toEqual({ "line 3, column 3": "Map keys must be unique" });
  });

  it("is one that cannot be read when it was asked for by name", async () => {
    await expect(loadConfig({ cwd, env: {}, file: "none.yaml" })).rejects.toMatchObject({
      code: "CONFIG_UNREADABLE",
      message: "none.yaml cannot be read: there is no such file",
    });
    await write("#".repeat(1024 ** 2 + 1));
    await expect(loadConfig({ cwd, env: {} })).rejects.toThrow("larger than 1048576 bytes");
  });

  it("is an error of ours, whatever the file holds", async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.string(), fc.json()), async (text) => {
        await write(text);
        const outcome = await loadConfig({ cwd, env: {} }).catch((error: unknown) => error);
        if (outcome instanceof Error) expect(outcome).toBeInstanceOf(AppError);
      }),
      { numRuns: 200 },
    );
  });

  it("is one with anything but text where a number belongs, for every key", async () => {
    const nonsense = fc.string({ minLength: 1 }).filter((text) => text.trim() !== "");
    const files = ["acme.caFile", "metrics.scrape.file"];
    const texts = ["dataDirectory", "agent.containerSocket", ...files];
    const isAnyText = ({ path }: { path: string }) =>
      texts.includes(path) || /^(secrets|metrics\.remote\.tlsConfig)\..*|.*\.host$/.test(path);
    const keys = PLATFORM_KEYS.filter((key) => !isAnyText(key));
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...keys), nonsense, async (key, text) => {
        const { findings, loaded } = await checkConfig({ cwd, env: { [key.variable]: `?${text}` } });
        expect(loaded).toBe(null);
        expect(findings.every(({ message }) => key.isSecret || message.includes(key.variable))).toBe(true);
      }),
      { numRuns: 200 },
    );
  });
});

describe("the description of a configuration", () => {
  it("shows every key as it was written, with its source and without secrets", async () => {
    await write("server: { requestTimeout: 1m }");
    const env = {
      DATABASE_URL: "postgres://app:hunter2@db/shop?sslpassword=hunter2",
      MAINSTAY_AGENT_PORT_RANGE: "[21000, 22000]",
    };
    const rows = describeConfig(await loadConfig({ cwd, env }));
    expect(rows.map((row) => row.path)).toEqual(PLATFORM_KEYS.map((key) => key.path));
    expect(rows).toContainEqual({ path: "server.requestTimeout", value: "1m", source: CONFIG_FILE });
    expect(rows).toContainEqual({ path: "server.port", value: "7700", source: "default" });
    expect(rows).toContainEqual({
      path: "agent.portRange",
      value: "[21000,22000]",
      source: "MAINSTAY_AGENT_PORT_RANGE",
    });
    expect(rows).toContainEqual({ path: "dataDirectory", value: join(cwd, "data"), source: "default" });
    expect(rows).toContainEqual({
      path: "database.url",
      value: "postgres://app:***@db/shop?sslpassword=***",
      source: "DATABASE_URL",
    });
  });
});

describe("the names of variables", () => {
  it("follow from the paths", () => {
    const names = Object.fromEntries(PLATFORM_KEYS.map((key) => [key.path, key.variable]));
    expect(names).toMatchObject({
      dataDirectory: "MAINSTAY_DATA_DIRECTORY",
      "server.port": "MAINSTAY_SERVER_PORT",
      "agent.leaseTtl": "MAINSTAY_AGENT_LEASE_TTL",
    });
    expect(new Set(Object.values(names)).size).toBe(PLATFORM_KEYS.length);
  });
});
