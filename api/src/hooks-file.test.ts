import { describe, expect, it } from "vitest";
import { AppError } from "./errors.ts";
import { momentOf, stopsChange } from "./hooks-file.ts";
import { parseServiceFile } from "./service-file.ts";

const parse = (...hooks: unknown[]) =>
  parseServiceFile(
    JSON.stringify({ service: "shop", processes: { web: { command: "node web.js" } }, hooks }),
    "mainstay.yaml",
  ).hooks;

function refusals(...hooks: unknown[]): string[] {
  try {
    parse(...hooks);
    return [];
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return error.errors.map((each) => `${each.path}: ${each.message}`);
  }
}

describe("hooks of a service file", () => {
  it("stand before or after a state, last a minute at most and stop the change by default", () => {
    const [hook] = parse({ before: "starting", command: "node warm.js" });
    expect(hook).toEqual({ before: "starting", command: "node warm.js", timeout: 60_000 });
    expect(hook && momentOf(hook)).toEqual({ when: "before", state: "starting" });
    expect(hook && stopsChange(hook)).toBe(true);
  });

  it("stop nothing when they say so, and where a change only goes on", () => {
    const [ignored, back] = parse(
      { after: "gating", command: "x", onFailure: "ignore" },
      { before: "restoring-weights", command: "x" },
    );
    expect(ignored && stopsChange(ignored)).toBe(false);
    expect(back && stopsChange(back)).toBe(false);
    expect(refusals({ after: "draining", command: "x", onFailure: "stop" })).toEqual([
      "hooks.0.onFailure: a change that is draining only goes on: expected ignore",
    ]);
  });

  it("need exactly one moment, which is the name of a state", () => {
    const either = "hooks.0.before: expected either before or after, with the name of a state";
    expect(refusals({ command: "x" })).toEqual([either]);
    expect(refusals({ before: "gating", after: "gating", command: "x" })).toEqual([either]);
    expect(refusals({ before: "lunch", command: "x" })[0]).toContain("hooks.0.before: expected");
  });

  it.each([
    ["before", "requested", /files and its signature were checked; the first moment is after: preflight/],
    ["after", "locked", /files and its signature were checked/],
    ["before", "preflight", /files and its signature were checked/],
    ["before", "backup", /before: migrating/],
    ["after", "paused", /an operator's act/],
    ["after", "succeeded", /the lock is given back with it; .* after: draining$/],
    ["before", "undone", /after: draining-candidate/],
    ["after", "undo-blocked", /after: draining-candidate/],
  ])("are refused %s %s, with the way out", (when, state, words) => {
    const [refusal, ...others] = refusals({ [when]: state, command: "x" });
    expect(refusal).toContain(`hooks.0.${when}: nothing can run ${when} ${state}: `);
    expect(refusal).toMatch(words);
    expect(others).toEqual([]);
  });

  it("may follow the pre-flight, and may take an hour but no longer", () => {
    expect(parse({ after: "preflight", command: "x", timeout: "1h" })[0]?.timeout).toBe(3_600_000);
    expect(refusals({ after: "gating", command: "x", timeout: "61m" })[0]).toContain("at most 1h");
  });
});
