import { AppError } from "@mainstay/api/plain";
import { describe, expect, it } from "vitest";
import { CliError, EXIT, explain } from "./cli-error.ts";

describe("an error in the terminal", () => {
  it("says what was wrong, where, and what to do", () => {
    const errors = [{ path: "rollout.keepWarm", message: "expected a duration" }];
    const { text, exitCode } = explain(new AppError("CONFIG_INVALID", { file: "mainstay.yaml" }, { errors }));
    expect(text.split("\n")).toEqual([
      "error: mainstay.yaml is not a valid configuration",
      "  rollout.keepWarm: expected a duration",
      expect.stringMatching(/^ {2}→ /),
    ]);
    expect(exitCode).toBe(EXIT.usage);
  });

  it.each([
    ["SERVER_UNREACHABLE", EXIT.unreachable],
    ["UNAUTHENTICATED", EXIT.denied],
    ["PERMISSION_DENIED", EXIT.denied],
    ["REQUEST_INVALID", EXIT.usage],
    ["CHANGE_LOCKED", EXIT.failed],
  ] as const)("%s ends with its own exit code", (code, exitCode) => {
    expect(explain(new AppError(code)).exitCode).toBe(exitCode);
  });

  it("carries the exit code that a command chose", () => {
    const { text, exitCode } = explain(new CliError("too late", EXIT.timedOut, "try again"));
    expect([text, exitCode]).toEqual(["error: too late\n  → try again", EXIT.timedOut]);
  });
});
