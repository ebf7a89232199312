import { describe, expect, it } from "vitest";
import { checkCircles, findCircles } from "./circles.ts";
import { findingsOf } from "./fixture.ts";

const graph = (edges: Record<string, string[]>) =>
  new Map(Object.entries(edges).map(([from, to]) => [from, new Set(to)] as const));

describe("circles", () => {
  it("are found between files of a room", () => {
    expect(
      findingsOf(checkCircles, {
        "agent/src/a.ts": 'import { b } from "./b.ts";',
        "agent/src/b.ts": 'import type { A } from "./a.ts";',
      }),
    ).toEqual([
      "agent/src/a.ts:1 agent/src/a.ts → agent/src/b.ts → agent/src/a.ts import each other in a circle",
    ]);
  });

  it("are found between rooms even where no file lies on one", () => {
    const found = findingsOf(checkCircles, {
      "server/src/core/flags/index.ts": 'export { x } from "../audit/index.ts";',
      "server/src/core/audit/index.ts": "export const x = 1;",
      "server/src/core/audit/store.ts": 'import { x } from "../flags/index.ts";',
    });
    expect(found).toEqual([expect.stringContaining("server/src/core/audit → server/src/core/flags")]);
  });

  it("do not count what tests and the composition root import", () => {
    expect(
      findingsOf(checkCircles, {
        "server/src/core/flags/index.ts": 'export { x } from "../audit/index.ts";',
        "server/src/core/audit/index.ts": "export const x = 1;",
        "server/src/core/audit/audit.test.ts": 'import { x } from "../flags/index.ts";',
        "server/src/compose.ts": 'import { x } from "./core/audit/index.ts";',
      }),
    ).toEqual([]);
  });

  it("are told once, by the shortest way", () => {
    const edges = { a: ["b", "c"], b: ["c"], c: ["a"], d: ["a"] };
    expect(findCircles(graph(edges))).toEqual([
      ["a", "c"],
      ["b", "c", "a"],
    ]);
  });

  it("are not seen where everything flows one way", () => {
    expect(findCircles(graph({ a: ["b", "c"], b: ["c"], c: ["d"] }))).toEqual([]);
  });
});
