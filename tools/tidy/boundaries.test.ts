import { describe, expect, it } from "vitest";
import { checkBoundaries } from "./boundaries.ts";
import { findingsOf } from "./fixture.ts";

const MANIFESTS = {
  "api/package.json": '{ "name": "@mainstay/api", "exports": { ".": "./src/index.ts" } }',
  "agent/package.json": '{ "name": "@mainstay/agent", "exports": { ".": "./src/index.ts" } }',
  "server/package.json": '{ "name": "@mainstay/server", "exports": { ".": "./src/index.ts" } }',
  "engines/evidence/package.json": '{ "name": "@mainstay/evidence", "exports": { ".": "./src/index.ts" } }',
  "engines/rollout/package.json": '{ "name": "@mainstay/rollout", "exports": { ".": "./src/index.ts" } }',
};

/** What is found in a file that imports exactly this. */
function importing(path: string, specifier: string, kind = "import"): string[] {
  return findingsOf(checkBoundaries, { ...MANIFESTS, [path]: `${kind} { x } from "${specifier}";` });
}

describe("who may know whom", () => {
  it.each([
    ["server/src/core/changes/changes.ts", "../../kernel/database/index.ts"],
    ["server/src/core/changes/changes.ts", "../../kernel/clock.ts"],
    ["server/src/core/changes/changes.ts", "../audit/index.ts"],
    ["server/src/core/changes/changes.ts", "./domain/stage.ts"],
    ["server/src/core/changes/changes.ts", "@mainstay/evidence"],
    ["server/src/kernel/http/http.ts", "../log.ts"],
    ["server/src/drivers/traffic/traffic.ts", "@mainstay/agent"],
    ["server/src/drivers/traffic/traffic.ts", "../../core/changes/index.ts"],
    ["server/src/apps/tasks/tasks.ts", "../../signals/alerts/index.ts"],
    ["server/src/compose.ts", "./core/changes/routes.ts"],
    ["agent/src/proxy/proxy.ts", "@mainstay/api"],
    ["agent/src/supervisor/call-guard.ts", "@mainstay/rollout"],
    ["cli/src/up.ts", "@mainstay/server"],
    ["cli/src/up.ts", "@mainstay/rollout"],
    ["bench/judge/bench.ts", "../../engines/evidence/src/judge.ts"],
  ])("%s may import %s", (path, specifier) => {
    expect(importing(path, specifier)).toEqual([]);
  });

  it.each([
    ["engines/evidence/src/judge.ts", "@mainstay/api", "engines may not know api"],
    ["engines/evidence/src/judge.ts", "@mainstay/rollout", "engines may not know engines"],
    ["api/src/words.ts", "@mainstay/rollout", "api may not know engines"],
    ["agent/src/parent.ts", "@mainstay/server", "agent may not know composition"],
    ["server/src/kernel/log.ts", "../core/audit/index.ts", "kernel may not know core"],
    ["server/src/core/changes/changes.ts", "../../drivers/traffic/index.ts", "core may not know drivers"],
    ["server/src/core/changes/changes.ts", "@mainstay/agent", "core may not know agent"],
    ["server/src/signals/alerts/alerts.ts", "../../drivers/traffic/index.ts", "signals may not know drivers"],
    ["server/src/drivers/traffic/traffic.ts", "../../apps/tasks/index.ts", "drivers may not know apps"],
  ])("%s may not import %s", (path, specifier, message) => {
    expect(importing(path, specifier)).toEqual([expect.stringContaining(message)]);
  });

  it("counts types, re-exports and dynamic imports as knowing", () => {
    const path = "server/src/kernel/log.ts";
    expect(importing(path, "../core/audit/index.ts", "import type")).toHaveLength(1);
    expect(importing(path, "../core/audit/index.ts", "export")).toHaveLength(1);
    const dynamic = { [path]: 'export const load = () => import("../core/audit/index.ts");' };
    expect(findingsOf(checkBoundaries, dynamic)).toHaveLength(1);
  });

  it("names the line of the import", () => {
    const text = '\n\nimport { x } from "@mainstay/api";';
    expect(findingsOf(checkBoundaries, { ...MANIFESTS, "engines/evidence/src/a.ts": text })).toEqual([
      "engines/evidence/src/a.ts:3 engines may not know api (api/src/index.ts)",
    ]);
  });

  it("wants every folder to have its place", () => {
    expect(findingsOf(checkBoundaries, { "server/src/plugins/new/a.ts": "" })).toEqual([
      expect.stringContaining("knows no room"),
    ]);
  });
});

describe("the door of a room", () => {
  it("is its index.ts, also for its neighbours", () => {
    expect(importing("server/src/core/changes/changes.ts", "../audit/store.ts")).toEqual([
      expect.stringContaining("enter server/src/core/audit through its index.ts"),
    ]);
    expect(importing("server/src/kernel/http/http.ts", "../database/pool.ts")).toHaveLength(1);
  });

  it("is the name of its workspace when it stands in another one", () => {
    const byPath = importing("server/src/drivers/traffic/traffic.ts", "../../../../agent/src/index.ts");
    expect(byPath).toEqual([expect.stringContaining("by the name of its workspace")]);
    const unlisted = importing("server/src/drivers/traffic/traffic.ts", "@mainstay/agent/src/client.ts");
    expect(unlisted).toEqual([expect.stringContaining("no entry point")]);
  });

  it("stands open to tests for fake twins and shared support only", () => {
    const test = "server/src/core/changes/changes.test.ts";
    expect(importing(test, "../audit/fake.ts")).toEqual([]);
    expect(importing(test, "../../../../tests/support/own-database.ts")).toEqual([]);
    expect(importing(test, "../audit/store.ts")).toHaveLength(1);
    const own = "server/src/core/changes/testing/plan.ts";
    expect(importing(own, "../../audit/fake.ts")).toEqual([]);
    expect(importing(test, "./testing/plan.ts")).toEqual([]);
    expect(importing("server/src/core/changes/changes.ts", "../audit/fake.ts")).toHaveLength(1);
    expect(importing("server/src/core/changes/changes.ts", "./testing/plan.ts")).toHaveLength(1);
    expect(importing("server/src/core/changes/index.ts", "./fake.ts")).toEqual([]);
  });
});

describe("pure rules", () => {
  it.each(["engines/evidence/src/judge.ts", "api/src/units.ts", "server/src/core/changes/domain/stage.ts"])(
    "reach no input or output (%s)",
    (path) => {
      expect(importing(path, "node:fs/promises")).toEqual([expect.stringContaining("input and output")]);
      expect(importing(path, "node:crypto")).toEqual([]);
    },
  );

  it("know the rest of their room, and the kernel, by types at most", () => {
    const path = "server/src/core/changes/domain/stage.ts";
    expect(importing(path, "./weights.ts")).toEqual([]);
    expect(importing(path, "@mainstay/rollout")).toEqual([]);
    expect(importing(path, "../store.ts", "import type")).toEqual([]);
    expect(importing(path, "../store.ts")).toHaveLength(1);
    expect(importing(path, "../../../kernel/clock.ts", "import type")).toEqual([]);
    expect(importing(path, "../../../kernel/clock.ts")).toHaveLength(1);
  });

  it("may be tested with whatever it takes", () => {
    expect(importing("engines/evidence/src/judge.test.ts", "node:fs")).toEqual([]);
  });
});
