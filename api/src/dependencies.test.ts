import { describe, expect, it } from "vitest";
import { sortByDependencies } from "./dependencies.ts";

const service = (name: string, ...dependsOn: string[]) => ({ name, dependsOn });
const names = (services: ReturnType<typeof service>[]) =>
  sortByDependencies(services).order?.map((each) => each.name);

describe("services that depend on each other", () => {
  it("come behind what they depend on, otherwise in the order given", () => {
    expect(names([service("b"), service("a")])).toEqual(["b", "a"]);
    const shop = [service("shop", "api", "mail"), service("mail", "db"), service("api", "db"), service("db")];
    expect(names(shop)).toEqual(["db", "api", "mail", "shop"]);
  });

  it("may depend on others that are not among them", () => {
    expect(names([service("shop", "elsewhere"), service("api")])).toEqual(["shop", "api"]);
  });

  it("have no order when they go in a circle, which is named", () => {
    const circle = [service("out", "a"), service("a", "b"), service("b", "c"), service("c", "a")];
    expect(sortByDependencies(circle)).toEqual({ order: null, circle: ["a", "b", "c", "a"] });
    expect(sortByDependencies([service("a", "a")]).circle).toEqual(["a", "a"]);
  });
});
