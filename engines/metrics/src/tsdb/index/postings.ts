import type { Labels } from "../../labels.ts";

/** Which series have which value of which label; ids in rising order. */
export interface Postings {
  readonly byName: Map<string, Map<string, number[]>>;
  readonly all: number[];
}

export function createPostings(): Postings {
  return { byName: new Map(), all: [] };
}

/** Ids are added in rising order. */
export function addToPostings({ byName, all }: Postings, id: number, { names, values }: Labels): void {
  all.push(id);
  for (let index = 0; index < names.length; index++) {
    const name = names[index] ?? "";
    const value = values[index] ?? "";
    let byValue = byName.get(name);
    if (byValue === undefined) byName.set(name, (byValue = new Map()));
    const ids = byValue.get(value);
    if (ids === undefined) byValue.set(value, [id]);
    else ids.push(id);
  }
}
