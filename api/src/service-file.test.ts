import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AppError, parseServiceFile } from "./index.ts";

const FILE = "mainstay.yaml";
const MINIMAL = "service: shop\nprocesses: { web: { command: node server.js } }\n";

function findings(text: string): Record<string, string> {
  try {
    parseServiceFile(text, FILE);
    return {};
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return Object.fromEntries(error.errors.map(({ path, message }) => [path, message]));
  }
}

describe("a service file", () => {
  it("needs a name and a process, and has a default for everything else", () => {
    expect(parseServiceFile(MINIMAL, FILE)).toEqual({
      service: "shop",
      environment: "production",
      processes: { web: { command: "node server.js", instances: 1, stopTimeout: 10_000, singleton: false } },
      dependsOn: [],
      env: {},
      secrets: [],
      resources: {},
      routes: [{ path: "/" }],
      connections: { balance: "round-robin", weights: [], drain: 300_000, hold: 5000 },
      compression: true,
      headers: { security: false },
      verify: [],
      freeze: [],
      hooks: [],
      rollout: {
        strategy: "canary",
        stages: [
          { weight: 0.1, bake: 3_600_000, gates: [] },
          { weight: 0.25, bake: 7_200_000, gates: [] },
          { weight: 0.5, bake: 7_200_000, gates: [] },
          { weight: 1, bake: 0, gates: [] },
        ],
        rolling: { maxSurge: 1, maxUnavailable: 0, bake: 30_000 },
        judge: {
          metrics: ["errors", "latency"],
          alpha: 0.01,
          onTooLittleEvidence: "hold",
          probes: [],
          probeRate: 5,
          warmup: 20_000,
        },
        limits: {},
        gates: [],
        keepWarm: 600_000,
      },
    });
  });

  it("limits a build unless it says otherwise, and keeps the names of what runs once", () => {
    const { build } = parseServiceFile(`${MINIMAL}build: { command: npm ci, env: { CI: true } }`, FILE);
    const limits = { timeout: 600_000, memory: 1024 ** 3, cpu: 1 };
    expect(build).toEqual({ command: "npm ci", ...limits, env: { CI: "true" } });
    const named = "service: shop\nprocesses: { build: { command: x } }\n";
    expect(findings(named)["processes"]).toContain("no process may be called build");
    expect(findings(`${MINIMAL}dependsOn: [api, api]`)).toEqual({ dependsOn: "expected each service once" });
  });

  it("is read in the units it is written in", () => {
    const text = `${MINIMAL}rollout: { keepWarm: 1h30m, limits: { errorRate: 0.5%, latencyP95: 250ms } }`;
    const { keepWarm, limits } = parseServiceFile(text, FILE).rollout;
    expect([keepWarm, limits.errorRate, limits.latencyP95]).toEqual([5_400_000, 0.005, 250]);
  });

  it("gives processes their variables as text, however YAML reads them", () => {
    const { env } = parseServiceFile(`${MINIMAL}env: { A: 1, B: true, C: "x", D: 1.50 }`, FILE);
    expect(env).toEqual({ A: "1", B: "true", C: "x", D: "1.5" });
  });

  it("names every wrong path at once, and what was expected there", () => {
    const text = `
service: Shop
processes:
  web: { command: "", port: 80, instances: 1.5 }
  Worker: { command: node worker.js }
env: { A: { b: 1 }, B: null, "1x": y }
secrets: [a-b]
routes: [{ path: shop }]
rollout:
  strategy: bold
  judge: { alpha: 0.5, metrics: [] }
  stages: [{ weight: 10 }]
  assignmentHeader: "a b"
colour: red
`;
    expect(findings(text)).toMatchObject({
      service: "expected lower-case letters, digits and dashes, starting with a letter (at most 41)",
      "processes.web.command": "expected a command line",
      "processes.web.instances": "expected a whole number",
      "processes.web.port": 'expected "auto" or a port from 1024 to 65535',
      "processes.Worker":
        "expected lower-case letters, digits and dashes, starting with a letter (at most 41)",
      "env.A": "expected text, a number, true or false",
      "env.B": "expected text, a number, true or false",
      "env.1x": expect.stringContaining("expected the name of an environment variable"),
      "secrets.0": expect.stringContaining("expected the name of an environment variable"),
      "routes.0.path": 'expected text that starts with "/"',
      "rollout.strategy": 'expected "canary", "blue-green", "rolling" or "immediate"',
      "rollout.judge.alpha": "expected at most 0.2",
      "rollout.judge.metrics": "expected at least 1 item",
      "rollout.stages.0.weight": 'expected a percentage from "0%" to "100%"',
      "rollout.assignmentHeader": expect.stringContaining("expected"),
      colour: expect.stringContaining("unknown key"),
    });
  });

  it.each([
    ["proceses: {}", "proceses", 'unknown key; did you mean "processes"?'],
    ["rollout: { stage: [] }", "rollout.stage", 'unknown key; did you mean "stages"?'],
    ["rollout: { judge: { alhpa: 1 } }", "rollout.judge.alhpa", 'unknown key; did you mean "alpha"?'],
    ["processes: { web: { comand: x } }", "processes.web.comand", 'unknown key; did you mean "command"?'],
  ])("%s is a slip of the pen, and what was meant is said", (text, path, message) => {
    expect(findings(text)[path]).toBe(message);
  });

  it.each([
    [
      "a port without a health check",
      "web: { command: x, port: auto }",
      "processes.web.health",
      "needs health",
    ],
    [
      "two processes with a port",
      "a: { command: x, port: auto, health: { path: / } }, b: { command: x, port: auto, health: { path: / } }",
      "processes",
      "at most one process may have a port",
    ],
    ["neither command nor image", "web: { instances: 2 }", "processes.web.command", "or an image"],
    [
      "a container's port without an image",
      "web: { command: x, containerPort: 80 }",
      "processes.web.containerPort",
      "goes with image:",
    ],
    ["what is no image", "web: { image: 'Shop:1' }", "processes.web.image", "expected an image such as"],
    ["no process", "", "processes", "at least one process"],
  ])("with %s is refused", (...[, processes, path, message]) => {
    expect(findings(`service: shop\nprocesses: { ${processes} }`)[path]).toContain(message);
  });

  it.each([
    ["routes: [{ host: shop.example.com:8080 }]", "routes.0.host", "expected a host without port"],
    ["routes: [{ host: 'shop.*.com' }]", "routes.0.host", "*.example.com"],
    ["routes: [{ host: '*' }]", "routes.0.host", "expected a host"],
    ["connections: { drain: 2d }", "connections.drain", "expected at most 1d"],
    ["connections: { hold: 5m }", "connections.hold", "expected at most 1m"],
    ["connections: { weights: [0] }", "connections.weights.0", "expected at least 1"],
    ["connections: { balance: random }", "connections.balance", 'expected "round-robin" or'],
  ])("with %s is refused", (text, path, message) => {
    expect(findings(MINIMAL + text)[path]).toContain(message);
  });

  it.each(["shop.example.com", "*.example.com", "localhost", "127.0.0.1", "'[::1]'", "a_b.test"])(
    "takes %s for a host",
    (host) => {
      expect(
        parseServiceFile(`${MINIMAL}routes: [{ host: "${host.replaceAll("'", "")}" }]`, FILE).routes,
      ).toHaveLength(1);
    },
  );

  it.each([
    ["[{ weight: 50% }, { weight: 25% }, { weight: 100% }]", "weights must rise"],
    ["[{ weight: 50% }, { weight: 50% }, { weight: 100% }]", "weights must rise"],
    ["[{ weight: 50% }]", "the last stage must have weight 100%"],
    ["[]", "the last stage must have weight 100%"],
  ])("with the stages %s is refused", (stages, message) => {
    expect(findings(`${MINIMAL}rollout: { stages: ${stages} }`)["rollout.stages"]).toContain(message);
  });
});

describe("a file that is not YAML", () => {
  it.each([
    ["a: {", "line 1, column 5", "must be sufficiently indented"],
    ["a: 1\na: 2", "line 2, column 1", "Map keys must be unique"],
    ["a: 1\n---\nb: 2", "line 2, column 1", "expected one document, found several"],
    ["a: *b", "(the file)", "Unresolved alias"],
    ["just words", "(top level)", "expected keys with values"],
  ])("%j is told with its place", (text, path, message) => {
    expect(findings(text)[path]).toContain(message);
  });

  it("that unfolds without end is refused", () => {
    const levels = Array.from({ length: 12 }, (_, i) => `l${i + 1}: &l${i + 1} [${`*l${i}, `.repeat(9)}]`);
    expect(findings(["l0: &l0 [x]", ...levels].join("\n"))["(the file)"]).toContain("Excessive alias count");
  });

  it("gets an error of ours, whatever it holds", () => {
    const yamlish = fc.array(
      fc.constantFrom("a", ": ", "\n", "  ", "- ", "{", "}", "[", "*a", "&a ", "!x ", '"', "|", "#"),
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json(),
          yamlish.map((parts) => parts.join("")),
        ),
        (text) => {
          expect(Object.keys(findings(text)).length).toBeGreaterThan(0);
        },
      ),
    );
  });
});
