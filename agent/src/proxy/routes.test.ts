import { describe, expect, it } from "vitest";
import { createRoutes } from "./routes.ts";

function route(host: string | null, path: string, target: string) {
  return { host, path, target };
}

describe("routes", () => {
  const routes = createRoutes([
    route("shop.example.com", "/", "exact"),
    route("shop.example.com", "/api/", "exact api"),
    route("shop.example.com", "/api/v2", "exact api 2"),
    route("*.example.com", "/", "wildcard"),
    route("*.example.com", "/api", "wildcard api"),
    route("*.eu.example.com", "/", "longer wildcard"),
    route("narrow.example.com", "/only", "narrow"),
    route(null, "/", "any"),
    route(null, "/any-api", "any api"),
  ]);

  it.each([
    ["an exact host before a wildcard", "shop.example.com", "/x", "exact"],
    ["the longest path of a host", "shop.example.com", "/api/v2/x", "exact api 2"],
    ["a path as a whole part", "shop.example.com", "/apix", "exact"],
    ["a wildcard for a name below it", "blog.example.com", "/", "wildcard"],
    ["the longest path of a wildcard", "blog.example.com", "/api?x", "wildcard api"],
    ["a wildcard for names further below", "a.b.example.com", "/", "wildcard"],
    ["the longer of two wildcards", "shop.eu.example.com", "/", "longer wildcard"],
    ["the shorter one for the longer one's own name", "eu.example.com", "/", "wildcard"],
    ["any host for the wildcard's own name", "example.com", "/", "any"],
    ["the wildcard where an exact host has no such path", "narrow.example.com", "/other", "wildcard"],
    ["any host for a name that only ends alike", "badexample.com", "/", "any"],
    ["the longest path of any host", "other.test", "/any-api/1", "any api"],
  ])("choose %s", (_what, host, path, expected) => {
    expect(routes.find(host, path)).toBe(expected);
  });

  it("lead nowhere when nothing matches", () => {
    const few = createRoutes([route("*.example.com", "/api", "api")]);
    expect([
      few.find("a.example.com", "/"),
      few.find("example.com", "/api"),
      few.find("a.test", "/api"),
    ]).toEqual([null, null, null]);
  });
});
