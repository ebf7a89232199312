import { describe, expect, it } from "vitest";
import { sampleService } from "../testing/sample-service.ts";
import { engineTableOf, structureOf } from "./engine-table.ts";

const tableOf = (...changes: Parameters<typeof sampleService>[0][]) =>
  engineTableOf({ services: changes.map((each) => sampleService(each)) });
const candidate = { release: "rel_2", instances: [{ id: "ins_2", port: 20_002 }] };

describe("a routing table in HAProxy's terms", () => {
  it("has a key for each route, with a slash at its end, so that /api is not the start of /apix", () => {
    const routes = ["/", "/api", "/v1/"].map((path) => ({ host: "Shop.Test", path }));
    const wild = { host: "*.a.test", path: "/" };
    const { routes: map, wildcards } = tableOf({ routes: [...routes, wild, { host: null, path: "/" }] });
    const keys = [...map.keys()].filter((key) => !key.includes("/.well-known/"));
    expect(keys).toEqual(["shop.test/", "shop.test/api/", "shop.test/v1/", "*.a.test/", "*/"]);
    expect(wildcards).toEqual([".a.test"]);
  });

  it("gives a route that two services want to the first, as the Node engine does", () => {
    const table = tableOf({ service: "a" }, { service: "b" });
    expect(table.routes.get("*/")).toBe("production.a");
  });

  it("leaves out paths that no request can have, for they would end a line of the map", () => {
    const routes = [
      { host: null, path: "/a b" },
      { host: null, path: "/a\nevil x" },
    ];
    expect([...tableOf({ routes }).routes.values()]).toEqual(["node"]);
  });

  it("leaves the challenges of certificate authorities to the Node worker, for every host of a route", () => {
    const routes = ["shop.test", "*.a.test"].map((host) => ({ host, path: "/" }));
    const left = [...tableOf({ routes }).routes].filter(([, target]) => target === "node");
    expect(left.map(([key]) => key)).toEqual(
      ["shop.test", "*.a.test"].map((host) => `${host}/.well-known/acme-challenge/`),
    );
  });

  it("carries share, salt and header of a change in one row, so that they change together", () => {
    const change = { candidate, change: "chg_1", weight: 2500, assignmentHeader: "X-User" };
    expect(tableOf(change).rows.get("production.shop")).toBe("2500|release:shop:chg_1:|x-user");
    expect(tableOf({}).rows.size).toBe(0);
  });

  it("gives a service under maintenance to the Node worker, wherever its routes lead", () => {
    const table = tableOf({ maintenance: { retryAfterMs: 1000 } });
    expect([table.routes.get("*/"), table.backends]).toEqual(["node", []]);
  });

  it("scales weights down to what HAProxy counts", () => {
    const instances = [1, 512].map((weight, index) => ({ id: `ins_${index}`, port: 20_001 + index, weight }));
    const [stable] = tableOf({ stable: { release: "rel_1", instances } }).backends;
    expect(stable?.servers.map((each) => each.weight)).toEqual([1, 256]);
  });

  it("keeps its structure while instances, routes, weights and changes come and go", () => {
    const before = structureOf(tableOf({}));
    const routes = [{ host: "shop.test", path: "/x" }];
    expect(structureOf(tableOf({ candidate, change: "chg_1", weight: 1, routes }))).toBe(before);
    expect(structureOf(tableOf({ requestTimeoutMs: 1 }))).not.toBe(before);
    expect(structureOf(tableOf({}, { service: "site" }))).not.toBe(before);
  });
});
