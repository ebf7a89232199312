import type { Finding } from "./finding.ts";
import type { Repository } from "./repository.ts";

/** Marks of work that was left undone: it is done, or it is an issue, but it is not in the tree. */
const UNFINISHED = /\b(TODO|FIXME|XXX|HACK)\b|\bfor now\b|\bnot (yet )?implemented\b/i;
const MARKS = new Set(["todo", "fixme", "xxx", "hack"]);

/** No file says that it is unfinished. */
export function checkWords(repository: Repository): Finding[] {
  const texts = [...repository.sources, ...repository.documents];
  return texts.flatMap(({ path, text }) =>
    text.split("\n").flatMap((content, index) => {
      const word = UNFINISHED.exec(content)?.[0];
      if (word === undefined || isOrdinaryWord(word)) return [];
      return [{ rule: "word", path, line: index + 1, message: `"${word}": finish it or leave it out` }];
    }),
  );
}

/** The marks are written in capitals; "hack" or "todo" in lower case may be part of a sentence or a name. */
function isOrdinaryWord(word: string): boolean {
  return MARKS.has(word.toLowerCase()) && word !== word.toUpperCase();
}
