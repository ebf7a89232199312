import { posix } from "node:path";
import { Visitor } from "oxc-parser";
import type { Finding } from "./finding.ts";
import type { Repository } from "./repository.ts";
import { lineAt, type Source } from "./source.ts";

const KEBAB_CASE = /^\.?[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9]+(-[a-z0-9]+)*)*$/;
/** Names that say nothing about what is inside. */
const EMPTY_WORDS = new Set(["util", "utils", "helper", "helpers", "manager", "misc"]);

/** Files and folders are kebab-case, and nothing is called after no purpose at all. */
export function checkNames(repository: Repository): Finding[] {
  const paths = [...repository.sources.map((source) => source.path), ...sqlPaths(repository)];
  return [...paths.flatMap(checkPath), ...repository.sources.flatMap(checkExports)];
}

function sqlPaths(repository: Repository): string[] {
  return repository.documents.map((document) => document.path).filter((path) => path.endsWith(".sql"));
}

function checkPath(path: string): Finding[] {
  const parts = path.split("/");
  const ill = parts.find((part) => !KEBAB_CASE.test(part));
  if (ill !== undefined) return [finding(path, 1, `"${ill}" is not kebab-case`)];
  const empty = parts.flatMap((part) => part.split(/[-.]/)).find((word) => EMPTY_WORDS.has(word));
  return empty === undefined ? [] : [finding(path, 1, `"${empty}" does not say what is inside`)];
}

function checkExports(source: Source): Finding[] {
  return exportedNames(source).flatMap(({ name, start }) => {
    const empty = wordsOf(name).find((word) => EMPTY_WORDS.has(word));
    if (empty === undefined) return [];
    return [finding(source.path, lineAt(source, start), `"${empty}" in ${name} does not say what it does`)];
  });
}

function exportedNames(source: Source): { name: string; start: number }[] {
  const names: { name: string; start: number }[] = [];
  new Visitor({
    ExportNamedDeclaration: ({ declaration, specifiers }) => {
      for (const each of specifiers) {
        if (each.exported.type === "Identifier") names.push(each.exported);
      }
      if (declaration?.type === "VariableDeclaration") {
        for (const { id } of declaration.declarations) if (id.type === "Identifier") names.push(id);
      } else if (declaration && "id" in declaration && declaration.id?.type === "Identifier") {
        names.push(declaration.id);
      }
    },
  }).visit(source.program);
  return names;
}

/** createLockManager → create, lock, manager */
function wordsOf(name: string): string[] {
  return name.split(/(?<=[a-z0-9])(?=[A-Z])|_/).map((word) => word.toLowerCase());
}

function finding(path: string, line: number, message: string): Finding {
  return { rule: "name", path: posix.normalize(path), line, message };
}
