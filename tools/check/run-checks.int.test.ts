import { describe, expect, it } from "vitest";
import { formatResult, runCheck, runChecks, type Check, type CheckResult } from "./run-checks.ts";

const say = (text: string, code = 0) => [
  process.execPath,
  "-e",
  `console.log(${JSON.stringify(text)}); process.exit(${code})`,
];

describe("checks", () => {
  it("pass when the tool ends with 0", async () => {
    expect(await runCheck("types", say("fine"))).toMatchObject({ name: "types", ok: true, output: "fine" });
  });

  it("fail when the tool ends with anything else, and keep what it said", async () => {
    expect(await runCheck("types", say("line 3 is wrong", 2))).toMatchObject({
      ok: false,
      output: "line 3 is wrong",
    });
  });

  it("fail when the tool cannot be started", async () => {
    const result = await runCheck("types", ["/nowhere/tool"]);
    expect(result.ok).toBe(false);
    expect(result.output).toContain("ENOENT");
  });

  it("are all run and reported, also when one of them fails", async () => {
    const checks: Check[] = [
      { name: "a", command: say("", 1) },
      { name: "b", command: say("") },
      { name: "c", command: say("") },
    ];
    const reported: CheckResult[] = [];
    const results = await runChecks(checks, (result) => reported.push(result), 2);
    expect(results.map((each) => each.name).toSorted()).toEqual(["a", "b", "c"]);
    expect(reported).toEqual(results);
    expect(results.filter((each) => each.ok)).toHaveLength(2);
  });
});

describe("the report of a check", () => {
  const result = {
    name: "tidy",
    ok: true,
    seconds: 1.234,
    output: "looked at 12 files\nwarning: 2 codes are unused",
  };

  it("is one line when all is well, and warnings stay visible", () => {
    expect(formatResult(result)).toBe("ok      tidy        1.2 s\n    warning: 2 codes are unused");
    expect(formatResult({ ...result, output: "fine" })).toBe("ok      tidy        1.2 s");
  });

  it("shows all of the findings when it failed", () => {
    expect(formatResult({ ...result, ok: false, output: "a\nb" })).toBe(
      "FAILED  tidy        1.2 s\n    a\n    b",
    );
  });
});
