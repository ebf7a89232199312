import type { VectorMatching } from "../syntax/ast.ts";
import type { Evaluation } from "./evaluation.ts";
import { createSignature } from "./match-signature.ts";
import { mergeColumns } from "./merge.ts";
import { ABSENT, type Column, type Grid, hasSamples } from "./values.ts";

interface Sets {
  operator: "and" | "or" | "unless";
  left: readonly Column[];
  right: readonly Column[];
  matching: VectorMatching;
}

/**
 * `and`, `or`, `unless`: samples of one side, chosen step
 * by step by whether the other side has any that match.
 */
export function combineSets(
  { budget }: Evaluation,
  { operator, left, right, matching }: Sets,
  grid: Grid,
): readonly Column[] {
  const signature = createSignature(matching);
  budget.addSteps((left.length + right.length) * grid.count);
  if (operator === "or") {
    const taken = presenceBySignature(left, signature, grid);
    const rest = right.map((column) => mask(column, taken.get(signature(column.labels).key), false));
    return mergeColumns(withSharedNames([...left, ...rest.filter(hasSamples)]));
  }
  const others = presenceBySignature(right, signature, grid);
  return left
    .map((column) => mask(column, others.get(signature(column.labels).key), operator === "and"))
    .filter(hasSamples);
}

type Signature = ReturnType<typeof createSignature>;

function presenceBySignature(
  columns: readonly Column[],
  signature: Signature,
  grid: Grid,
): Map<string, Uint8Array> {
  const presence = new Map<string, Uint8Array>();
  for (const { labels, present } of columns) {
    const { key } = signature(labels);
    const found = presence.get(key) ?? new Uint8Array(grid.count);
    presence.set(key, found);
    for (let step = 0; step < grid.count; step++) if (present[step] !== ABSENT) found[step] = 1;
  }
  return presence;
}

/** The column where the other side has something (or, with false, where it has nothing). */
function mask(column: Column, presence: Uint8Array | undefined, wanted: boolean): Column {
  if (presence === undefined)
    return wanted ? { ...column, present: new Uint8Array(column.present.length) } : column;
  return {
    ...column,
    present: column.present.map((state, step) => ((presence[step] === 1) === wanted ? state : ABSENT)),
  };
}

/** Two columns of the same labels become one: it loses its name when either does. */
function withSharedNames(columns: readonly Column[]): Column[] {
  const dropping = new Set(columns.filter((column) => column.dropsName).map((column) => column.labels.key));
  return columns.map((column) => (dropping.has(column.labels.key) ? { ...column, dropsName: true } : column));
}
