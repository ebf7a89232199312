import { readFile, writeFile } from "node:fs/promises";

/**
 * `node tools/terminal-picture.ts <text file> <svg file>`:
 * what a command printed, as a picture of a terminal.
 */

const COLUMN_PX = 7.8;
const LINE_PX = 18;
const MARGIN_PX = 16;
const COLUMNS_MAX = 128;

/** Lines that begin so are drawn in a colour of their own; the first match wins. */
const COLOURS: readonly [RegExp, string][] = [
  [/^▶/, "#7dd3fc"],
  [/✗|restoring-weights/, "#fca5a5"],
  [/judge:/, "#86efac"],
  [/^(CHANGE|REQUESTS) /, "#a1a1aa"],
  [/Everything went as told/, "#86efac"],
];

/** Text → SVG; lines longer than the terminal are cut, as a terminal would. */
export function drawTerminal(text: string): string {
  const lines = text.trimEnd().split("\n").map(cut);
  const widthPx = Math.round(Math.max(...lines.map((line) => line.length)) * COLUMN_PX + 2 * MARGIN_PX);
  const heightPx = lines.length * LINE_PX + 2 * MARGIN_PX;
  const rows = lines.map((line, index) => {
    const fill = COLOURS.find(([pattern]) => pattern.test(line))?.[1] ?? "#e4e4e7";
    const y = MARGIN_PX + (index + 0.75) * LINE_PX;
    return `<text x="${MARGIN_PX}" y="${y}" fill="${fill}" xml:space="preserve">${escape(line)}</text>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${widthPx}" height="${heightPx}" viewBox="0 0 ${widthPx} ${heightPx}">`,
    `<rect width="100%" height="100%" rx="8" fill="#18181b"/>`,
    `<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="13">`,
    ...rows,
    "</g>",
    "</svg>\n",
  ].join("\n");
}

function cut(line: string): string {
  return line.length <= COLUMNS_MAX ? line : `${line.slice(0, COLUMNS_MAX - 1)}…`;
}

function escape(line: string): string {
  return line.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

if (import.meta.main) {
  const [source, target] = process.argv.slice(2);
  if (!source || !target) throw new Error("usage: node tools/terminal-picture.ts <text file> <svg file>");
  await writeFile(target, drawTerminal(await readFile(source, "utf8")));
}
