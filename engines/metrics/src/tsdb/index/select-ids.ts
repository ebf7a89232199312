import { labelValue, type Labels } from "../../labels.ts";
import type { CompiledMatcher } from "./compiled-matcher.ts";
import type { Postings } from "./postings.ts";

/** What is searched: the postings, and the labels behind an id. */
export interface SearchedIndex {
  postings: Postings;
  labelsOf(id: number): Labels;
}

/** Ids of the series that all matchers match, in rising order. */
export function selectIds(index: SearchedIndex, matchers: readonly CompiledMatcher[]): readonly number[] {
  const narrow = narrowest(index.postings, matchers);
  const rest = matchers.filter((each) => each !== narrow?.matcher);
  const candidates = narrow === null ? index.postings.all : narrow.ids;
  if (rest.length === 0) return candidates;
  return candidates.filter((id) => {
    const labels = index.labelsOf(id);
    return rest.every((each) => each.matches(labelValue(labels, each.name)));
  });
}

interface Narrowed {
  matcher: CompiledMatcher;
  ids: readonly number[];
}

/** The fewest ids that one matcher leaves: by its literals if there are any, else by trying every value. */
function narrowest(postings: Postings, matchers: readonly CompiledMatcher[]): Narrowed | null {
  const narrowing = matchers.filter((each) => !each.matchesEmpty);
  const literal = narrowing.filter((each) => each.literals !== null);
  const tried = literal.length > 0 ? literal : narrowing;
  let best: { matcher: CompiledMatcher; lists: number[][]; size: number } | null = null;
  for (const matcher of tried) {
    const lists = listsOf(postings, matcher);
    const size = lists.reduce((sum, list) => sum + list.length, 0);
    if (best === null || size < best.size) best = { matcher, lists, size };
  }
  if (best === null) return null;
  const [first = []] = best.lists;
  const ids = best.lists.length <= 1 ? first : best.lists.flat().toSorted((a, b) => a - b);
  return { matcher: best.matcher, ids };
}

function listsOf({ byName }: Postings, matcher: CompiledMatcher): number[][] {
  const byValue = byName.get(matcher.name);
  if (byValue === undefined) return [];
  if (matcher.literals !== null) {
    return [...new Set(matcher.literals)].flatMap((value) => {
      const ids = byValue.get(value);
      return ids === undefined ? [] : [ids];
    });
  }
  return [...byValue].filter(([value]) => matcher.matches(value)).map(([, ids]) => ids);
}
