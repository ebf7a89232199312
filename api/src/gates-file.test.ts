import { describe, expect, it } from "vitest";
import { AppError } from "./errors.ts";
import { parseServiceFile } from "./service-file.ts";

function parse(gates: unknown[], ofStage: unknown[] = []) {
  const stages = [{ weight: "10%", gates: ofStage }, { weight: "100%" }];
  const file = { service: "shop", processes: { web: { command: "x" } }, rollout: { gates, stages } };
  return parseServiceFile(JSON.stringify(file), "mainstay.yaml").rollout;
}

function problemsOf(gates: unknown[], ofStage: unknown[] = []): string[] {
  try {
    parse(gates, ofStage);
    return [];
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return error.errors.map(({ path, message }) => `${path}: ${message}`);
  }
}

const LATENCY = { name: "latency", query: "p99", max: 0.5 };
const CHECKOUT = { name: "checkout", compare: { bad: "b", total: "t" } };

describe("gates of a service file", () => {
  it("hold without data and are asked every ten seconds, unless they say otherwise", () => {
    const { gates, stages } = parse([LATENCY], [{ ...LATENCY, name: "queue", for: "1m", noData: "fail" }]);
    expect(gates).toEqual([{ ...LATENCY, noData: "hold", for: 0, interval: 10_000 }]);
    expect(stages[0]?.gates[0]).toMatchObject({ for: 60_000, noData: "fail" });
  });

  it.each([
    [[{ ...LATENCY, max: undefined }], [], "rollout.gates.0.max: expected max or min: what is well"],
    [[{ ...LATENCY, min: 1 }], [], "rollout.gates.0.min: expected no more than max"],
    [
      [{ ...LATENCY, ...CHECKOUT }],
      [],
      "rollout.gates.0.query: expected either query with max or min, or compare",
    ],
    [[{ ...CHECKOUT, max: 1 }], [], "rollout.gates.0.compare: expected neither max, min nor for"],
    [[], [CHECKOUT], "rollout.stages.0.gates: expected no compare here"],
    [[LATENCY], [LATENCY], "rollout.gates: expected each name once; latency is there twice"],
    [[{ ...LATENCY, name: "P 99" }], [], "rollout.gates.0.name: expected a name in lower case"],
  ])("are refused where they make no sense: %j %j", (gates, ofStage, expected) => {
    expect(problemsOf(gates, ofStage).join("\n")).toContain(expected);
  });
});
