import { describe, expect, it } from "vitest";
import { parseSource } from "./source.ts";
import { wrapComments } from "./wrap-comments.ts";

const wrap = (text: string) => wrapComments(parseSource("agent/src/a.ts", text));
/** So many words of five letters, with blanks between them. */
const words = (count: number) => Array.from({ length: count }, () => "words").join(" ");

describe("a comment that is too wide", () => {
  it("is broken evenly behind the same marks", () => {
    expect(wrap(`  // ${words(20)}\n  work();\n`)).toBe(`  // ${words(10)}\n  // ${words(10)}\n  work();\n`);
  });

  it("becomes a block when it was a block of one line", () => {
    expect(wrap(`/** ${words(20)} */\nwork();\n`)).toBe(
      `/**\n * ${words(10)}\n * ${words(10)}\n */\nwork();\n`,
    );
  });

  it("takes along the rest of its paragraph, and nothing else", () => {
    expect(wrap(`/**\n * Short.\n *\n * ${words(20)}\n * ${words(4)}\n *\n * - ${words(3)}\n */\n`)).toBe(
      `/**\n * Short.\n *\n * ${words(12)}\n * ${words(12)}\n *\n * - ${words(3)}\n */\n`,
    );
    expect(wrap(`// ${words(20)}\n// ${words(4)}\n// - ${words(3)}\n`)).toBe(
      `// ${words(12)}\n// ${words(12)}\n// - ${words(3)}\n`,
    );
  });

  it("fits afterwards, and is not touched again", () => {
    const wrapped = wrap(`/** ${words(200)} */\nif (a) {\n  // ${words(200)}\n}\n`);
    expect(Math.max(...wrapped.split("\n").map((line) => line.length))).toBeLessThanOrEqual(110);
    expect(wrap(wrapped)).toBe(wrapped);
  });
});

describe("a comment is left alone", () => {
  it.each([
    ["when it fits", `// ${words(15)}\n`],
    ["behind code", `work(); // ${words(20)}\n`],
    ["when it speaks to a tool", `// oxlint-disable-next-line ${words(20)}\n`],
    ["when it is laid out by hand", `// GET /v1    ${words(20)}\n`],
    ["when it is no comment", `const text = "// ${words(20)}";\n`],
    ["when it is in a text", `const text = \`\n  // ${words(20)}\n\`;\n`],
  ])("%s", (_when, text) => {
    expect(wrap(text)).toBe(text);
  });
});
