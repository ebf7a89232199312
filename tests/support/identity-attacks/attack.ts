import type { SceneSettings } from "./scene.ts";
import type { Target } from "./target.ts";

/** One thing that somebody tries who should not come in, or should not get that far. */
export interface Attack {
  id: string;
  family: string;
  /** What is tried, as a sentence that ends with what has to come of it. */
  tries: string;
  /** Whether the target withstood it; throws NotApplicable where there is nothing to try it on. */
  isWithstood(target: Target): Promise<boolean>;
  /** How the target is set up before. */
  settings: SceneSettings;
}

export class NotApplicable extends Error {}

type Try = (target: Target) => Promise<boolean>;
/** Name, sentence, the attempt itself, and how the target is set up for it. */
export type Row = readonly [name: string, tries: string, attempt: Try, settings?: SceneSettings];

/** The attacks of one family. */
export function family(name: string, rows: readonly Row[]): Attack[] {
  return rows.map(([id, tries, isWithstood, settings = {}]) => ({
    ...{ id: `${name.replaceAll(/[^a-z]+/gi, "-").toLowerCase()}/${id}`, family: name, tries },
    ...{ isWithstood, settings },
  }));
}
