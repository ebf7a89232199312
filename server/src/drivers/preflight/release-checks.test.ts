import { parseServiceFile, type ObservedInstance } from "@mainstay/api";
import { describe, expect, it } from "vitest";
import { createMinisignKey } from "../../../../tests/support/minisign.ts";
import type { ChangeView } from "../../core/changes/index.ts";
import { createSignatures, type ReleaseRow, type ServiceRow } from "../../core/services/index.ts";
import type { Machine } from "./machine.ts";
import { createReleaseChecks } from "./release-checks.ts";

const GIB = 1024 ** 3;
const change: ChangeView = {
  id: "chg_1",
  kind: "release",
  service: "shop",
  environment: "production",
  candidate: "rel_new",
  stable: "rel_old",
  plan: {
    stages: [
      { weight: 1000, bakeMs: 0 },
      { weight: 10_000, bakeMs: 0 },
    ],
    keepWarmMs: 0,
    gateDeadlineMs: 0,
    onTooLittleEvidence: "hold",
    hasStable: true,
    skips: [],
  },
  position: { name: "preflight", stage: -1, enteredAtMs: 0, stageStartedAtMs: null, pausedFrom: null },
  weight: 0,
  proven: 0,
};

interface World {
  file?: string;
  env?: Record<string, string>;
  secretNames?: string[];
  packageJson?: string;
  machine?: Partial<Machine>;
  memoryBytes?: number;
  state?: ObservedInstance["state"];
  plan?: ChangeView["plan"];
  signatures?: { keys: string[]; required: boolean };
  /** Another service that serves in another environment. */
  other?: string;
}

const WELL =
  "processes: { web: { command: node server.js, instances: 2, port: auto, health: { path: /healthz } } }";

function release(id: string, { file = WELL, env = {} }: World): ReleaseRow {
  const snapshot = parseServiceFile(`service: shop\n${file}`, "mainstay.yaml");
  return {
    id,
    service: "shop",
    environment: "production",
    digest: "sha256:0",
    ...{ build: null, source_digest: null },
    version: null,
    directory: "/releases/new",
    file: "mainstay.yaml",
    snapshot: { ...snapshot, env: { ...snapshot.env, ...env } },
    signature: null,
    ...{ base: null, origin: null, settings: { env: {}, secrets: [] }, secrets_version: null },
    collected_at: null,
    created_at: new Date(0),
    created_by: { type: "user", id: "usr_ann", name: "ann" },
  };
}

const SHOP_ROW = {
  name: "shop",
  environment: "production",
  stable_release: "rel_old",
  candidate_release: null,
} as ServiceRow;

function otherRow(name: string): ServiceRow {
  return { ...SHOP_ROW, name, environment: "staging", stable_release: `rel_${name}` };
}

/** Everything the checks find in a world that is well but for what is given. */
async function findIn(world: World) {
  const stableInstance = {
    id: "ins_1",
    release: "rel_old",
    process: "web",
    state: world.state ?? "ready",
    memoryBytes: world.memoryBytes ?? 100 * 1024 ** 2,
    lastProbeError: "status 503",
  } as ObservedInstance;
  const checks = createReleaseChecks({
    services: {
      release: async (id) =>
        id === "rel_new" ? release(id, world) : release(id, { env: { MODE: "a", LOG: "x" } }),
      secretNames: async () => world.secretNames ?? [],
      list: async () => (world.other === undefined ? [] : [SHOP_ROW, otherRow(world.other)]),
      releasesById: async (ids) =>
        ids.map((id) => ({ ...release(id, {}), service: world.other ?? "", environment: "staging" })),
      instances: async () => [
        {
          ...stableInstance,
          release: "rel_old",
          service: "shop",
          environment: "production",
          ordinal: 0,
          created_at: new Date(0),
        },
      ],
    },
    link: {
      observed: () => ({
        bootId: "b",
        generation: 1,
        at: "",
        leaseExpired: false,
        instances: [stableInstance],
        pulls: [],
        services: [],
        proxies: [],
      }),
    },
    activeChanges: async () => [],
    database: { ping: async () => 1 },
    dataDirectory: "/data",
    portRange: [20_000, 20_099],
    signatures: createSignatures(world.signatures ?? { keys: [], required: false }),
    machine: {
      freeDiskBytes: async () => 100 * GIB,
      availableMemoryBytes: () => 8 * GIB,
      portsInUse: async () => new Set([20_000, 8080]),
      hasCommand: async (name) => name === "node",
      nodeVersion: async () => "24.21.0",
      readFile: async () => world.packageJson ?? null,
      ...world.machine,
    },
  });
  const found = await Promise.all(
    checks.map((each) => each.find({ ...change, plan: world.plan ?? change.plan })),
  );
  return found.flat().map(({ severity, code, message }) => `${severity} ${code} ${message}`);
}

const SAME_ENV = { MODE: "a", LOG: "x" };

describe("the pre-flight of a release", () => {
  it("finds nothing where everything is well", async () => {
    expect(await findIn({ env: SAME_ENV })).toEqual([]);
  });

  it("names the variables that differ from the stable release, and never their values", async () => {
    expect(await findIn({ env: { MODE: "hunter2", NEW: "hunter3" } })).toEqual([
      "warning PREFLIGHT_ENV the environment differs from the stable release: LOG removed, MODE changed, NEW added",
    ]);
  });

  it("tells of a route that a service of any environment has already", async () => {
    const file = `${WELL}\nroutes: [{ path: /api }, {}]`;
    expect(await findIn({ env: SAME_ENV, file, other: "mail" })).toEqual([
      expect.stringContaining(
        "warning PREFLIGHT_ROUTE_TAKEN the route / of any host is also that of mail in staging",
      ),
    ]);
  });

  it.each([
    ["warning", false],
    ["error", true],
  ])("tells of a release that nobody vouches for: %s", async (severity, required) => {
    const { publicKey } = createMinisignKey();
    const found = await findIn({ env: SAME_ENV, signatures: { keys: [publicKey], required } });
    expect(found).toEqual([expect.stringContaining(`${severity} PREFLIGHT_UNSIGNED`)]);
  });

  it("tells of secrets that no process gets, and of names that stand in two places", async () => {
    const file = `${WELL}\nsecrets: [TOKEN, MODE]`;
    expect(await findIn({ file, env: SAME_ENV, secretNames: ["TOKEN", "MODE", "TOKNE"] })).toEqual([
      "warning PREFLIGHT_SECRET_UNUSED the secrets TOKNE have a value but are not listed under secrets, so no process gets them",
      "warning PREFLIGHT_SECRET_SHADOWED MODE stand under env and under secrets; the processes get the secret",
    ]);
  });

  it.each([
    { free: 0.2, severity: "error" },
    { free: 0.6, severity: "warning" },
  ])("finds $free GiB of free disk a matter of: $severity", async ({ free, severity }) => {
    const machine = { freeDiskBytes: async () => free * GIB };
    const [finding, ...rest] = await findIn({ env: SAME_ENV, machine });
    expect(finding).toMatch(
      new RegExp(`^${severity} PREFLIGHT_DISK /data has .*MiB free, and 896MiB are wanted`),
    );
    expect(rest).toEqual([]);
  });

  it.each([
    { free: 1, severity: "error" },
    { free: 2.5, severity: "warning" },
  ])(
    "weighs $free GiB of memory against what the stable release uses: $severity",
    async ({ free, severity }) => {
      const machine = { availableMemoryBytes: () => free * GIB };
      expect(await findIn({ env: SAME_ENV, memoryBytes: GIB, machine })).toEqual([
        `${severity} PREFLIGHT_MEMORY ${free}GiB of memory are available, and the candidate needs about 2GiB beside the stable release`,
      ]);
    },
  );

  it("finds ports that are taken, ports that cannot be shared, and a range without room", async () => {
    const health = "health: { path: /healthz }";
    const fixed = `processes: { web: { command: node a.js, port: 8080, ${health} } }`;
    expect(await findIn({ env: SAME_ENV, file: fixed })).toEqual([
      expect.stringContaining(
        "error PREFLIGHT_PORT_TAKEN web wants the port 8080, and another process listens there",
      ),
    ]);
    const shared = `processes: { web: { command: node a.js, instances: 2, port: 9090, ${health} } }`;
    expect(await findIn({ env: SAME_ENV, file: shared })).toEqual([
      "error PREFLIGHT_PORT_TAKEN web wants the port 9090, and 2 instances cannot share it",
    ]);
    const crowded = new Set(Array.from({ length: 99 }, (_, index) => 20_000 + index));
    expect(await findIn({ env: SAME_ENV, machine: { portsInUse: async () => crowded } })).toEqual([
      "error PREFLIGHT_PORTS 2 ports are needed, and 1 from 20000 to 20099 are free",
    ]);
  });

  it("finds a health gate that cannot be passed, and one that says little", async () => {
    const hasty =
      "processes: { web: { command: node a.js, port: auto, health: { path: '/a b', interval: 10s, deadline: 20s } } }";
    const found = await findIn({ env: SAME_ENV, file: hasty });
    expect(found).toEqual([
      expect.stringContaining("3 answers every 10s do not fit into the deadline of 20s"),
      expect.stringContaining('the path "/a b" holds a space'),
    ]);
    const root = "processes: { web: { command: node a.js, port: auto, health: { path: / } } }";
    expect(await findIn({ env: SAME_ENV, file: root })).toEqual([
      expect.stringMatching(/^warning PREFLIGHT_HEALTH/),
    ]);
  });

  it("finds a command and a Node that this machine does not have", async () => {
    const deno = "processes: { web: { command: deno run a.ts, port: auto, health: { path: /healthz } } }";
    expect(await findIn({ env: SAME_ENV, file: deno })).toEqual([
      "error PREFLIGHT_COMMAND the command deno of web is not on this machine",
    ]);
    expect(await findIn({ env: SAME_ENV, packageJson: '{"engines":{"node":"^22.1"}}' })).toEqual([
      "error PREFLIGHT_NODE package.json asks for node ^22.1, and the processes would get 24.21.0",
    ]);
    expect(await findIn({ env: SAME_ENV, packageJson: '{"engines":{"node":">=24"}}' })).toEqual([]);
  });

  it("says when nothing but health guards a change", async () => {
    const plan = { ...change.plan, stages: [{ weight: 10_000, bakeMs: 0 }] };
    const blueGreen = `${WELL}\nrollout: { strategy: blue-green`;
    expect(await findIn({ env: SAME_ENV, file: `${blueGreen} }`, plan })).toEqual([
      expect.stringMatching(/^warning PREFLIGHT_UNGUARDED blue-green compares nothing here/),
    ]);
    const limited = `${blueGreen}, limits: { errorRate: 1% } }`;
    expect(await findIn({ env: SAME_ENV, file: limited, plan })).toEqual([]);
  });

  it("says when the stable release is not well itself", async () => {
    expect(await findIn({ env: SAME_ENV, state: "unready" })).toEqual([
      "warning PREFLIGHT_STABLE_UNHEALTHY the stable release is not well itself: 0 of 1 instances are ready (status 503)",
    ]);
  });
});
