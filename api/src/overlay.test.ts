import { describe, expect, it } from "vitest";
import { parseServiceFile } from "./service-file.ts";

const FILE = `
service: shop
processes: { web: { command: node server.js, instances: 4, port: auto, health: { path: /healthz } } }
env: { LOG: info, REGION: eu }
secrets: [DATABASE_URL]
rollout: { limits: { errorRate: 1% }, keepWarm: 30m }
environments:
  staging:
    processes: { web: { instances: 1 } }
    env: { LOG: debug, REGION: null }
    secrets: []
    rollout: { strategy: immediate, keepWarm: null }
  qa:
`;

describe("a service file with environments", () => {
  it("is itself for its own environment", () => {
    const file = parseServiceFile(FILE, "mainstay.yaml");
    expect([file.environment, file.env, file.processes["web"]?.instances]).toEqual([
      "production",
      { LOG: "info", REGION: "eu" },
      4,
    ]);
    expect(file).not.toHaveProperty("environments");
  });

  it("merges sections, replaces lists and values, and lets null fall back to the default", () => {
    const file = parseServiceFile(FILE, "mainstay.yaml", "staging");
    expect(file.environment).toBe("staging");
    expect(file.processes["web"]).toMatchObject({ command: "node server.js", instances: 1 });
    expect([file.env, file.secrets]).toEqual([{ LOG: "debug" }, []]);
    expect(file.rollout).toMatchObject({
      strategy: "immediate",
      limits: { errorRate: 0.01 },
      keepWarm: 600_000,
    });
  });

  it("may name an environment that differs in nothing", () => {
    expect(parseServiceFile(FILE, "mainstay.yaml", "qa")).toMatchObject({
      environment: "qa",
      env: { LOG: "info" },
    });
  });

  it.each([
    ["stagign", FILE, "the file knows no environment stagign; did you mean staging?"],
    ["demo", FILE, "the file knows no environment demo; it has staging, qa, production"],
    ["staging", FILE.replace("    secrets: []", "    service: other"), "cannot differ between environments"],
    [
      "staging",
      FILE.replace("    secrets: []", "    build: { command: x }"),
      "cannot differ between environments",
    ],
    ["staging", FILE.replace("instances: 1", "instances: many"), "expected a number"],
  ])("refuses for %s what makes no sense (%#)", (environment, text, message) => {
    const parse = () => parseServiceFile(text, "mainstay.yaml", environment);
    expect(parse).toThrow("mainstay.yaml is not a valid configuration");
    try {
      parse();
    } catch (error) {
      expect(JSON.stringify(error instanceof Error && "errors" in error && error.errors)).toContain(message);
    }
  });
});

it("a file without environments takes any", () => {
  const text = "service: shop\nprocesses: { web: { command: node a.js } }";
  expect(parseServiceFile(text, "mainstay.yaml", "demo").environment).toBe("demo");
});
