import { parseSync, Visitor, type Comment, type Program } from "oxc-parser";

/** A file with code, parsed once and read by every rule. */
export interface Source {
  /** Relative to the repository, with forward slashes. */
  path: string;
  text: string;
  lines: string[];
  program: Program;
  comments: Comment[];
  imports: Import[];
}

export interface Import {
  specifier: string;
  line: number;
  /** Erased when the code runs. */
  isTypeOnly: boolean;
}

/** Text → tree, comments and imports. Throws when the text is not TypeScript or JavaScript. */
export function parseSource(path: string, text: string): Source {
  const parsed = parseSync(path, text, { preserveParens: false });
  const [error] = parsed.errors;
  if (error) throw new Error(`${path} cannot be parsed: ${error.message}`);
  const source: Source = {
    path,
    text,
    lines: text.split("\n"),
    program: parsed.program,
    comments: parsed.comments,
    imports: [],
  };
  source.imports = readImports(source);
  return source;
}

/** The line, counted from 1, in which a position of the text lies. */
export function lineAt(source: Source, offset: number): number {
  let line = 1;
  const { text } = source;
  for (let at = text.indexOf("\n"); at !== -1 && at < offset; at = text.indexOf("\n", at + 1)) line += 1;
  return line;
}

/** Static and dynamic imports and re-exports, type-only ones too: to know a type is to know its room. */
function readImports(source: Source): Import[] {
  const imports: Import[] = [];
  const add = (specifier: string, start: number, isTypeOnly: boolean) =>
    imports.push({ specifier, line: lineAt(source, start), isTypeOnly });
  new Visitor({
    ImportDeclaration: ({ source: { value }, importKind, specifiers, start }) => {
      const named = specifiers.length > 0;
      const allTypes = specifiers.every((each) => "importKind" in each && each.importKind === "type");
      add(value, start, importKind === "type" || (named && allTypes));
    },
    ExportAllDeclaration: (node) => add(node.source.value, node.start, node.exportKind === "type"),
    ExportNamedDeclaration: (node) => {
      if (node.source) add(node.source.value, node.start, node.exportKind === "type");
    },
    ImportExpression: ({ source: target, start }) => {
      if (target.type === "Literal" && typeof target.value === "string") add(target.value, start, false);
    },
    TSImportType: (node) => add(node.source.value, node.start, true),
  }).visit(source.program);
  return imports;
}
