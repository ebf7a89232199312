import { describe, expect, it } from "vitest";
import { findingsOf } from "./fixture.ts";
import { checkSizes } from "./sizes.ts";

const lines = (count: number, text = "  work();") => Array.from({ length: count }, () => text).join("\n");
const found = (text: string, path = "agent/src/a.ts") => findingsOf(checkSizes, { [path]: text });

describe("the size of a file", () => {
  it("is at most 400 lines, the last line break not counted", () => {
    expect(found(`${lines(400, "work();")}\n`)).toEqual([]);
    expect(found(lines(401, "work();"))).toEqual([expect.stringContaining("401 lines (at most 400)")]);
  });

  it("is looser for a test", () => {
    expect(found(lines(600, "work();"), "agent/src/a.test.ts")).toEqual([]);
  });
});

describe("the size of a function", () => {
  it("is at most 70 lines", () => {
    expect(found(`function long() {\n${lines(68)}\n}`)).toEqual([]);
    expect(found(`function long() {\n${lines(69)}\n}`)).toEqual([
      "agent/src/a.ts:1 long has 71 lines of its own (at most 70)",
    ]);
  });

  it("leaves out the functions inside it, which count for themselves", () => {
    const inner = (name: string) => `function ${name}() {\n${lines(60)}\n}`;
    expect(found(`function createRoom() {\n${inner("a")}\n${inner("b")}\nreturn { a, b };\n}`)).toEqual([]);
    expect(found(`function createRoom() {\nconst go = () => {\n${lines(80)}\n};\n}`)).toEqual([
      expect.stringContaining(":2 go has 82 lines"),
    ]);
  });

  it("names methods and properties", () => {
    expect(found(`export const room = {\n  start() {\n${lines(80)}\n  },\n};`)).toEqual([
      expect.stringContaining(":2 start has"),
    ]);
  });
});

describe("parameters", () => {
  it("are at most three by position", () => {
    expect(found("function f(a, b, c) {}")).toEqual([]);
    expect(found("const f = (a, b, c, d) => a;")).toEqual([expect.stringContaining("f takes 4 parameters")]);
  });

  it("do not count the type of this", () => {
    expect(found("function f(this: Room, a, b, c) {}")).toEqual([]);
  });
});

describe("nesting", () => {
  const nested = "for (const a of b) { while (c) { try { if (d) {} } catch {} } }";

  it("is at most three deep", () => {
    expect(found(`function f() { ${nested} }`)).toEqual([expect.stringContaining("f nests 4 deep")]);
  });

  it("starts again in a function of its own", () => {
    expect(found("function f() { if (a) { if (b) { go(() => { if (c) { if (d) {} } }); } } }")).toEqual([]);
  });

  it("does not grow along else if", () => {
    expect(
      found("function f() { if (a) {} else if (b) {} else if (c) {} else if (d) {} else if (e) {} }"),
    ).toEqual([]);
  });
});

describe("lines", () => {
  const long = "x".repeat(120);

  it("have at most 110 columns", () => {
    expect(found(`// ${long}`)).toEqual([expect.stringContaining("123 columns (at most 110)")]);
  });

  it("may be longer for a text or an address that cannot be broken", () => {
    expect(found(`const text = "${long}";`)).toEqual([]);
    expect(found(`const text = /${long}/;`)).toEqual([]);
    expect(found(`// https://example.com/${long}`)).toEqual([]);
  });
});
