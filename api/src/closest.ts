/** The candidate that somebody who wrote `word` most likely meant; null when none is near. */
export function closest(word: string, candidates: Iterable<string>): string | null {
  let best: { candidate: string; distance: number } | null = null;
  for (const candidate of candidates) {
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
    const isNear = distance <= Math.max(1, Math.floor(Math.min(word.length, candidate.length) / 3));
    if (isNear && (best === null || distance < best.distance)) best = { candidate, distance };
  }
  return best?.candidate ?? null;
}

/** Letters to add, drop, replace or swap with their neighbour (optimal string alignment distance). */
function editDistance(from: string, to: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row += 1) {
    const present = [row];
    for (let column = 1; column <= to.length; column += 1) {
      const replaced = at(last, column - 1) + (from[row - 1] === to[column - 1] ? 0 : 1);
      const isSwap =
        row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      const swapped = isSwap ? at(beforeLast, column - 2) + 1 : Infinity;
      present.push(Math.min(replaced, swapped, at(last, column) + 1, at(present, column - 1) + 1));
    }
    beforeLast = last;
    last = present;
  }
  return at(last, to.length);
}

function at(row: number[], column: number): number {
  return row[column] ?? Infinity;
}
