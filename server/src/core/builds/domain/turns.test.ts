import { describe, expect, it } from "vitest";
import { nextToBegin } from "./turns.ts";

const build = (id: string, service: string, state = "waiting") => ({ id, service, state });
const next = (unfinished: ReturnType<typeof build>[], atOnce: number) =>
  nextToBegin(unfinished, atOnce).map((each) => each.id);

describe("whose turn it is", () => {
  it("goes by the order of asking, as many at once as there may be", () => {
    expect(next([build("3", "c"), build("1", "a"), build("2", "b")], 2)).toEqual(["1", "2"]);
    expect(next([build("1", "a", "running"), build("2", "b"), build("3", "c")], 2)).toEqual(["2"]);
    expect(next([build("1", "a", "running"), build("2", "b")], 1)).toEqual([]);
  });

  it("passes over a service that is being built, and gives the next one its turn", () => {
    expect(next([build("1", "a", "running"), build("2", "a"), build("3", "b")], 2)).toEqual(["3"]);
    expect(next([build("1", "a"), build("2", "a"), build("3", "b")], 3)).toEqual(["1", "3"]);
  });
});
