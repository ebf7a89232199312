import { Visitor, type Expression } from "oxc-parser";
import type { Finding } from "./finding.ts";
import { isProductPath } from "./place.ts";
import type { Repository } from "./repository.ts";
import { lineAt, type Source } from "./source.ts";

const CATALOGUE = "api/src/errors.ts";
/** Parts of the catalogue that have files of their own. */
const PARTS = /^api\/src\/[a-z-]+-errors\.ts$/;

/** Catalogue and code agree both ways: every code is declared, and every declared one can be met. */
export function checkErrorCodes(repository: Repository): Finding[] {
  const isCatalogue = ({ path }: Source) => path === CATALOGUE || PARTS.test(path);
  const catalogue = repository.sources.filter(isCatalogue);
  if (catalogue.length === 0) return [];
  const declared = catalogue.flatMap(declaredCodes);
  const codes = new Set(declared.map((each) => each.code));
  const users = repository.sources.filter((source) => !isCatalogue(source) && isProductPath(source.path));
  const used = new Set(users.flatMap(stringsOf));
  return [
    ...users.flatMap((source) =>
      codesThrown(source)
        .filter((each) => !codes.has(each.code))
        .map(undeclared),
    ),
    ...declared.filter(({ code }) => !used.has(code)).map(unused),
  ];
}

interface Place {
  code: string;
  path: string;
  line: number;
}

function undeclared({ code, path, line }: Place): Finding {
  return { rule: "error-code", path, line, message: `${code} is not in the catalogue (${CATALOGUE})` };
}

function unused({ code, path, line }: Place): Finding {
  return { rule: "error-code", path, line, message: `${code} is used nowhere: nobody can meet it` };
}

/** The keys of `ERRORS`, and of its parts, with their lines. */
function declaredCodes(source: Source): Place[] {
  const codes: Place[] = [];
  new Visitor({
    VariableDeclarator: ({ id, init }) => {
      if (id.type !== "Identifier" || !/^([A-Z]+_)?ERRORS$/.test(id.name) || !init) return;
      const object = withoutTypes(init);
      if (object.type !== "ObjectExpression") return;
      for (const property of object.properties) {
        if (property.type !== "Property" || property.key.type !== "Identifier") continue;
        const line = lineAt(source, property.start);
        codes.push({ code: property.key.name, path: source.path, line });
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

function codesThrown(source: Source): Place[] {
  const thrown: Place[] = [];
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
