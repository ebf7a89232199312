/** A piece of a long text in OpenMetrics that is a text of its own. */
export interface Piece {
  text: string;
  /** The line of the file that a line of the piece is; both from 1. */
  lineOf(line: number): number;
}

const END = "# EOF";

/**
 * Cuts a text at ends of lines into pieces of about so many characters. What is known of a metric family is
 * repeated where it goes on in another piece. Tells at the end whether the text was whole.
 */
export async function* piecesOf(
  lines: AsyncIterable<string>,
  sizeCharacters: number,
): AsyncGenerator<Piece, { isWhole: boolean }> {
  let family: string[] = [];
  let piece = startPiece([], 1);
  let number = 0;
  let isWhole = false;
  for await (const line of lines) {
    number += 1;
    if (isWhole) return { isWhole: false };
    if (line === END) {
      isWhole = true;
      continue;
    }
    if (piece.size >= sizeCharacters) {
      yield piece.finish();
      piece = startPiece(line.startsWith("# ") ? [] : family, number);
    }
    if (line.startsWith("# TYPE ") || !line.startsWith("# ")) family = line.startsWith("#") ? [] : family;
    if (line.startsWith("# ")) family = [...family, line];
    piece.add(line);
  }
  if (piece.size > 0) yield piece.finish();
  return { isWhole };
}

function startPiece(repeated: readonly string[], firstLine: number) {
  const lines = [...repeated];
  return {
    size: 0,
    add(line: string) {
      lines.push(line);
      this.size += line.length + 1;
    },
    finish: (): Piece => ({
      text: `${lines.join("\n")}\n${END}\n`,
      lineOf: (line) => Math.max(firstLine, firstLine + line - 1 - repeated.length),
    }),
  };
}
