import { assert, property, string } from "fast-check";
import { describe, expect, it } from "vitest";
import { formatSecrets, readSecretsText } from "./secrets-text.ts";

describe("a file of secrets", () => {
  it("holds KEY=value lines, quoted where they need it, or JSON", () => {
    const lines = "# keys\nexport A=1\nB='two words'\nC=\"line 1\nline 2\"\nD=a=b\n";
    expect(readSecretsText(lines)).toEqual({ A: "1", B: "two words", C: "line 1\nline 2", D: "a=b" });
    expect(readSecretsText(' { "A": "1", "B": "x\\ny" }')).toEqual({ A: "1", B: "x\ny" });
  });

  it.each([
    { title: "nothing", text: "# empty\n", words: /no secret in it/ },
    { title: "JSON that is broken", text: '{ "A": "hunter22', words: /no JSON/ },
    { title: "a number", text: '{ "A": 7 }', words: /A is no text/ },
  ])("with $title is refused, without a value in the message", ({ text, words }) => {
    expect(() => readSecretsText(text)).toThrow(words);
    expect(() => readSecretsText(text)).not.toThrow(/hunter22/);
  });

  it("comes back as it was written, whatever is in it", () => {
    assert(
      property(string(), (text) => {
        const value = text.replaceAll("\0", "").replaceAll("\r", "");
        if (value.includes("'") && value.includes("`")) return;
        expect(readSecretsText(formatSecrets({ KEY: value }))).toEqual({ KEY: value });
      }),
    );
  });
});
