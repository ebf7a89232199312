import { Visitor, type Expression } from "oxc-parser";
import type { Finding } from "./finding.ts";
import { isProductPath } from "./place.ts";
import type { Repository } from "./repository.ts";
import { lineAt, type Source } from "./source.ts";

const CATALOGUE = "api/src/errors.ts";

/** Catalogue and code agree both ways: every code is declared, and every declared one can be met. */
export function checkErrorCodes(repository: Repository): Finding[] {
  const catalogue = repository.sources.find((source) => source.path === CATALOGUE);
  if (catalogue === undefined) return [];
  const declared = declaredCodes(catalogue);
  const users = repository.sources.filter(
    (source) => source.path !== CATALOGUE && isProductPath(source.path),
  );
  const used = new Set(users.flatMap(stringsOf));
  return [
    ...users.flatMap((source) =>
      thrownCodes(source)
        .filter((each) => !declared.has(each.code))
        .map(undeclared),
    ),
    ...[...declared].filter(([code]) => !used.has(code)).map(unused),
  ];
}

interface Thrown {
  code: string;
  path: string;
  line: number;
}

function undeclared({ code, path, line }: Thrown): Finding {
  return { rule: "error-code", path, line, message: `${code} is not in the catalogue (${CATALOGUE})` };
}

function unused([code, line]: [string, number]): Finding {
  return {
    rule: "error-code",
    path: CATALOGUE,
    line,
    message: `${code} is used nowhere: nobody can meet it`,
  };
}

/** The keys of `ERRORS` with their lines. */
function declaredCodes(source: Source): Map<string, number> {
  const codes = new Map<string, number>();
  new Visitor({
    VariableDeclarator: ({ id, init }) => {
      if (id.type !== "Identifier" || id.name !== "ERRORS" || !init) return;
      const object = withoutTypes(init);
      if (object.type !== "ObjectExpression") return;
      for (const property of object.properties) {
        if (property.type !== "Property" || property.key.type !== "Identifier") continue;
        codes.set(property.key.name, lineAt(source, property.start));
      }
    },
  }).visit(source.program);
  return codes;
}

/** `{ … } as const satisfies X` → `{ … }` */
function withoutTypes(node: Expression): Expression {
  const isTyped = node.type === "TSAsExpression" || node.type === "TSSatisfiesExpression";
  return isTyped ? withoutTypes(node.expression) : node;
}

function thrownCodes(source: Source): Thrown[] {
  const thrown: Thrown[] = [];
  new Visitor({
    NewExpression: ({ callee, arguments: [first], start }) => {
      if (callee.type !== "Identifier" || callee.name !== "AppError") return;
      if (first?.type !== "Literal" || typeof first.value !== "string") return;
      thrown.push({ code: first.value, path: source.path, line: lineAt(source, start) });
    },
  }).visit(source.program);
  return thrown;
}

function stringsOf(source: Source): string[] {
  const strings: string[] = [];
  new Visitor({
    Literal: ({ value }) => {
      if (typeof value === "string") strings.push(value);
    },
  }).visit(source.program);
  return strings;
}
