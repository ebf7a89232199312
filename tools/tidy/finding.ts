import type { Repository } from "./repository.ts";

/** Something that the house rules do not allow, and where. */
export interface Finding {
  rule: string;
  path: string;
  line: number;
  /** What is wrong and what to do instead. */
  message: string;
}

/** A rule reads the whole repository and says what it found. */
export type Rule = (repository: Repository) => Finding[];
