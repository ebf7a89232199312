import { Visitor } from "oxc-parser";
import type { Finding } from "./finding.ts";
import { isProductPath } from "./place.ts";
import type { Repository } from "./repository.ts";
import { lineAt, type Source } from "./source.ts";

/** Types are not given up: no `any`, casts only where data enters, and everything is exported by its name. */
export function checkTypes(repository: Repository): Finding[] {
  return repository.sources.flatMap((source) => {
    const findings: Finding[] = [];
    const add = (rule: string, start: number, message: string) =>
      findings.push({ rule, path: source.path, line: lineAt(source, start), message });
    const cast = (start: number) => {
      if (isProductPath(source.path))
        add("cast", start, "as: parse it, or let the compiler see why it holds");
    };
    new Visitor({
      TSAnyKeyword: (node) => add("any", node.start, "any: say what it is, or unknown"),
      TSAsExpression: (node) => {
        if (!isConst(source, node.typeAnnotation)) cast(node.start);
      },
      TSTypeAssertion: (node) => cast(node.start),
      ExportDefaultDeclaration: (node) => add("default-export", node.start, "export it by its name"),
    }).visit(source.program);
    return findings;
  });
}

function isConst(source: Source, type: { start: number; end: number }): boolean {
  return source.text.slice(type.start, type.end) === "const";
}
