import { parseServiceFile } from "@mainstay/api";
import { describe, expect, it } from "vitest";
import type { ReleaseRow } from "../../core/services/index.ts";
import { checkDependencies } from "./dependencies.ts";
import type { Neighbour } from "./situation.ts";

function release(id: string, service: string, ...dependsOn: string[]): ReleaseRow {
  const file = { service, dependsOn, processes: { web: { command: "x" } } };
  const snapshot = parseServiceFile(JSON.stringify(file), "mainstay.yaml");
  return { id, service, environment: "production", snapshot } as ReleaseRow;
}

function neighbour(serving: ReleaseRow | string, about: Partial<Neighbour> = {}): Neighbour {
  const name = typeof serving === "string" ? serving : serving.service;
  const row = { name, environment: "production" } as Neighbour["row"];
  const served = typeof serving === "string" ? null : serving;
  return { row, serving: served, wanted: 2, ready: 2, change: null, ...about };
}

const SHOP = release("rel_2", "shop", "api");
const API = release("rel_1", "api");

function find(neighbours: Neighbour[], candidate = SHOP, stable: ReleaseRow | null = null) {
  return checkDependencies({ candidate, stable, neighbours }).map(
    ({ severity, isForceable, message }) => `${severity}${isForceable ? " (forceable)" : ""}: ${message}`,
  );
}

describe("what a service depends on", () => {
  it("is fine when it serves, is well and stands still", () => {
    expect(find([neighbour(API)])).toEqual([]);
  });

  it.each([
    ["is not there", [], "does not serve in production"],
    ["has nothing that serves", [neighbour("api")], "does not serve in production"],
    [
      "is under change",
      [neighbour(API, { change: { id: "chg_1", state: "stepping" } })],
      "is being changed itself (chg_1, stepping)",
    ],
    ["is ill", [neighbour(API, { ready: 0 })], "is not well: 0 of 2 instances are ready"],
  ])("stops the change when it %s, unless somebody forces it", (_, neighbours, reason) => {
    expect(find(neighbours)).toEqual([`error (forceable): api, which shop depends on, ${reason}`]);
  });

  it("is warned of when only some of it is ill, and whenever a release goes back", () => {
    expect(find([neighbour(API, { ready: 1 })])[0]).toMatch(/^warning: api, .* 1 of 2/);
    const earlier = release("rel_1", "shop", "api");
    expect(find([], earlier, SHOP)).toEqual([expect.stringMatching(/^warning: api/)]);
  });

  it("may not depend on the service in turn, however far around", () => {
    const mail = release("rel_0", "mail", "shop");
    const api = release("rel_1", "api", "mail");
    expect(find([neighbour(SHOP), neighbour(api), neighbour(mail)])).toEqual([
      "error: the services depend on each other in a circle: shop → api → mail → shop",
    ]);
    expect(find([neighbour(API)], release("rel_2", "shop", "shop"))[0]).toContain("shop → shop");
  });

  it("may be part of a circle that is not this change's business", () => {
    const others = [release("rel_0", "api", "mail"), release("rel_1", "mail", "api")];
    expect(find(others.map((each) => neighbour(each)))).toEqual([]);
  });
});
