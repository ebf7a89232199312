/** One thing that a suite demands, and what is wrong with it; null when nothing is. */
export interface CaseResult {
  name: string;
  failure: string | null;
}

export interface SuiteContext {
  /** Folder of the suite's data; "" for a suite without any. */
  dataFolder: string;
  repositoryFolder: string;
}

/** What `conformance/<name>/suite.ts` exports as `suite`. */
export interface Suite {
  /** What is compared with what, in a line. */
  about: string;
  /** Folder of the shared suites whose data it reads; the suite passes over when they are absent. */
  data?: string;
  /** Debian packages of the programs it compares with. */
  debianPackages?: readonly string[];
  run(context: SuiteContext): Promise<CaseResult[]>;
}
