import { describe, expect, it } from "vitest";
import { checkErrorCodes } from "./error-codes.ts";
import { findingsOf } from "./fixture.ts";
import { checkLinks } from "./links.ts";
import { checkNames } from "./names.ts";
import { checkSwitchedOff } from "./switched-off.ts";
import { checkTypes } from "./types.ts";
import { checkWords } from "./words.ts";

describe("names", () => {
  it.each(["agent/src/proxyWorker.ts", "agent/Source/a.ts", "agent/src/a_b.ts"])(
    "are kebab-case (%s)",
    (path) => {
      expect(findingsOf(checkNames, { [path]: "" })).toEqual([expect.stringContaining("is not kebab-case")]);
    },
  );

  it.each([".ci/list.ts", "server/src/core/a/migrations/0001-first.sql", "a/b.int.test.ts"])(
    "may be %s",
    (path) => {
      expect(findingsOf(checkNames, { [path]: "" })).toEqual([]);
    },
  );

  it.each(["agent/src/utils.ts", "agent/src/helpers/a.ts", "agent/src/lock-manager.ts"])(
    "say something (%s)",
    (path) => {
      expect(findingsOf(checkNames, { [path]: "" })).toEqual([expect.stringContaining("does not say")]);
    },
  );

  it("say something where they are exported", () => {
    const text = "export function createLockManager() {}\nexport const miscellany = 1;\nfunction helper() {}";
    expect(findingsOf(checkNames, { "agent/src/lock.ts": text })).toEqual([
      'agent/src/lock.ts:1 "manager" in createLockManager does not say what it does',
    ]);
  });
});

describe("marks of unfinished work", () => {
  it.each([
    "// TODO: later",
    "// FIXME",
    "/* XXX */",
    "// good enough for now",
    'throw new Error("not implemented")',
  ])("are found: %s", (text) => {
    expect(findingsOf(checkWords, { "agent/src/a.ts": `\n${text}` })).toEqual([
      expect.stringContaining("agent/src/a.ts:2"),
    ]);
  });

  it("are found in prose and SQL too", () => {
    expect(findingsOf(checkWords, { "README.md": "TODO", "a.sql": "-- HACK" })).toHaveLength(2);
  });

  it("are not confused with ordinary words", () => {
    expect(findingsOf(checkWords, { "agent/src/a.ts": "const todo = it.todo; // a hack saw" })).toEqual([]);
  });
});

describe("types", () => {
  it("are not given up", () => {
    expect(findingsOf(checkTypes, { "agent/src/a.ts": "export const a: any = 1;" })).toEqual([
      "agent/src/a.ts:1 any: say what it is, or unknown",
    ]);
  });

  it("are not claimed in the product; as const claims nothing, and tests may claim", () => {
    expect(findingsOf(checkTypes, { "agent/src/a.ts": "export const a = b as string;" })).toHaveLength(1);
    expect(findingsOf(checkTypes, { "agent/src/a.ts": "export const a = [1] as const;" })).toEqual([]);
    expect(findingsOf(checkTypes, { "agent/src/a.test.ts": "const a = b as string;" })).toEqual([]);
  });

  it("and values are exported by their names", () => {
    expect(findingsOf(checkTypes, { "agent/src/a.ts": "export default 1;" })).toHaveLength(1);
  });
});

describe("tests", () => {
  it.each(["it.only", "test.skip", "describe.todo", "it.only.each", "it.concurrent.skip"])(
    "have no %s",
    (call) => {
      expect(findingsOf(checkSwitchedOff, { "agent/src/a.test.ts": `\n${call}("a", () => {});` })).toEqual([
        expect.stringMatching(/^agent\/src\/a\.test\.ts:2 /),
      ]);
    },
  );

  it("may call other things only and skip", () => {
    expect(
      findingsOf(checkSwitchedOff, { "agent/src/a.test.ts": "list.skip(1); it.each([])('a', f);" }),
    ).toEqual([]);
  });
});

describe("links", () => {
  const page = (text: string) =>
    findingsOf(checkLinks, { "docs/guides/a.md": text, "docs/b.md": "", "LICENSE.md": "" });

  it.each([
    "[b](../b.md)",
    "[b](../b.md#part)",
    "[l](/LICENSE.md)",
    "[g](../guides)",
    "[o](https://example.com)",
    "[h](#here)",
  ])("may lead to what is there: %s", (text) => {
    expect(page(text)).toEqual([]);
  });

  it.each(["[c](c.md)", "![c](c.png)", "[c][c]\n\n[c]: ../c.md", "[b](../guides/b.md)"])(
    "lead nowhere: %s",
    (text) => {
      expect(page(text)).toEqual([expect.stringContaining("leads nowhere")]);
    },
  );

  it("are not read in code", () => {
    expect(page("`[c](c.md)`\n\n```md\n[c](c.md)\n```\n")).toEqual([]);
  });
});

describe("error codes", () => {
  const catalogue =
    "export const ERRORS = {\n  USED: {},\n  IDLE: {},\n} as const satisfies Record<string, Kind>;";

  it("are declared, and every declared one is used", () => {
    const found = findingsOf(checkErrorCodes, {
      "api/src/errors.ts": catalogue,
      "agent/src/a.ts": 'throw new AppError("USED");\nthrow new AppError("UNKNOWN", {});',
      "agent/src/a.test.ts": 'expect(code).toBe("IDLE");',
      "api/src/other-errors.ts": "export const OTHER_ERRORS = {\n  REST: {},\n};",
    });
    expect(found).toEqual([
      "agent/src/a.ts:2 UNKNOWN is not in the catalogue (api/src/errors.ts)",
      "api/src/errors.ts:3 IDLE is used nowhere: nobody can meet it",
      "api/src/other-errors.ts:2 REST is used nowhere: nobody can meet it",
    ]);
  });
});
