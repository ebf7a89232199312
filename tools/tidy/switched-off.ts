import { Visitor } from "oxc-parser";
import type { Finding } from "./finding.ts";
import type { Repository } from "./repository.ts";
import { lineAt } from "./source.ts";

const RUNNERS = new Set(["it", "test", "describe", "suite"]);
const SWITCHES = new Set(["only", "skip", "todo"]);

/** No test is left out, and none is left running alone. */
export function checkSwitchedOff(repository: Repository): Finding[] {
  const tests = repository.sources.filter((source) => source.path.endsWith(".test.ts"));
  return tests.flatMap((source) => {
    const findings: Finding[] = [];
    new Visitor({
      MemberExpression: ({ object, property, computed, start, end }) => {
        if (computed || property.type !== "Identifier" || !SWITCHES.has(property.name)) return;
        const runner = object.type === "MemberExpression" ? object.object : object;
        if (runner.type !== "Identifier" || !RUNNERS.has(runner.name)) return;
        const message = `${source.text.slice(start, end)}: run it, or take it out`;
        findings.push({ rule: "switched-off", path: source.path, line: lineAt(source, start), message });
      },
    }).visit(source.program);
    return findings;
  });
}
