import { LINE_COLUMNS } from "./sizes.ts";
import { lineAt, type Source } from "./source.ts";

const BLOCK_OF_ONE_LINE = /^(\s*)(\/\*\*?)\s+(.*?)\s*\*\/$/;
const MARKS = /^\s*(\/\/|\*(?!\/))\s*/;
/** Words for a tool, and lines that are laid out by hand, stay as they are. */
const LEFT_ALONE = /^\s*(\/[/*]+|\*)\s*(oxlint-|eslint-|@ts-)|\S {3,}\S/;
/** What begins a paragraph of its own: an item of a list, a tag, a row, or nothing at all. */
const NEW_PARAGRAPH = /^([-*@|]|\d+[.)]\s|$)/;

/** The text with every comment that is too wide broken evenly; the formatter leaves comments alone. */
export function wrapComments(source: Source): string {
  const isComment = commentLines(source);
  const wrapped: string[] = [];
  for (let index = 0; index < source.lines.length; index += 1) {
    const line = source.lines[index] ?? "";
    if (line.length <= LINE_COLUMNS || !isComment.has(index) || LEFT_ALONE.test(line)) {
      wrapped.push(line);
      continue;
    }
    const paragraph = paragraphAt(source.lines, index, isComment);
    wrapped.push(...breakParagraph(paragraph));
    index += paragraph.length - 1;
  }
  return wrapped.join("\n");
}

/** Indexes of the lines on which there is nothing but a comment. */
function commentLines(source: Source): Set<number> {
  const indexes = new Set<number>();
  for (const comment of source.comments) {
    const first = lineAt(source, comment.start) - 1;
    const before = source.text.slice(source.text.lastIndexOf("\n", comment.start - 1) + 1, comment.start);
    const last = lineAt(source, comment.end) - 1;
    if (before.trim() === "") for (let index = first; index <= last; index += 1) indexes.add(index);
  }
  return indexes;
}

/** The line and those that go on with its sentence. */
function paragraphAt(lines: string[], start: number, isComment: Set<number>): string[] {
  const marks = MARKS.exec(lines[start] ?? "")?.[0];
  let end = start + 1;
  while (marks !== undefined && isComment.has(end) && continues(lines[end] ?? "", marks)) end += 1;
  return lines.slice(start, end);
}

function continues(line: string, marks: string): boolean {
  if (MARKS.exec(line)?.[0] !== marks || LEFT_ALONE.test(line)) return false;
  return !NEW_PARAGRAPH.test(line.slice(marks.length));
}

function breakParagraph(paragraph: string[]): string[] {
  const [first = ""] = paragraph;
  const [, indent = "", open = "", words] = BLOCK_OF_ONE_LINE.exec(first) ?? [];
  if (words !== undefined) return [indent + open, ...fillEvenly(words, `${indent} * `), `${indent} */`];
  const marks = MARKS.exec(first)?.[0];
  if (marks === undefined) return paragraph;
  return fillEvenly(paragraph.map((line) => line.slice(marks.length)).join(" "), marks);
}

/** As few lines as there have to be, and none much shorter than the others. */
function fillEvenly(words: string, marks: string): string[] {
  let lines = fill(words, marks, LINE_COLUMNS);
  for (let columns = LINE_COLUMNS - 1; columns > marks.length; columns -= 1) {
    const narrower = fill(words, marks, columns);
    if (narrower.length > lines.length || narrower.some((line) => line.length > LINE_COLUMNS)) break;
    lines = narrower;
  }
  return lines;
}

function fill(words: string, marks: string, columns: number): string[] {
  const lines: string[] = [];
  let line = marks;
  for (const word of words.split(" ")) {
    if (line !== marks && line.length + word.length > columns) {
      lines.push(line.trimEnd());
      line = marks;
    }
    line += `${word} `;
  }
  return [...lines, line.trimEnd()];
}
