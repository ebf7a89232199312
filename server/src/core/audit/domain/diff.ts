/** One field that an act altered. */
export interface FieldDiff {
  /** Dotted, as in "env.PORT"; "" when the whole is no record. */
  path: string;
  before: unknown;
  after: unknown;
}

const DIFFS_MAX = 200;

/**
 * What differs between two records, field by field. It is made of what was stored, in which secrets
 * are masked already; a secret that was replaced by another is therefore not among the differences.
 */
export function diffRecords(before: unknown, after: unknown): FieldDiff[] {
  const diffs: FieldDiff[] = [];
  compare({ path: "", before, after }, diffs);
  return diffs.slice(0, DIFFS_MAX);
}

function compare({ path, before, after }: FieldDiff, diffs: FieldDiff[]): void {
  if (!isRecord(before) && !isRecord(after)) {
    if (JSON.stringify(before ?? null) !== JSON.stringify(after ?? null)) diffs.push({ path, before, after });
    return;
  }
  const [old, young] = [isRecord(before) ? before : {}, isRecord(after) ? after : {}];
  for (const name of new Set([...Object.keys(old), ...Object.keys(young)])) {
    const inner = path === "" ? name : `${path}.${name}`;
    compare({ path: inner, before: old[name] ?? null, after: young[name] ?? null }, diffs);
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
