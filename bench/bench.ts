/** What a benchmark found, as people read it. */
export interface BenchTable {
  title: string;
  columns: string[];
  rows: (string | number)[][];
  /** What a reader has to know to judge the figures. */
  notes: string[];
}

export interface BenchReport {
  tables: BenchTable[];
}

/** What `bench/<name>/bench.ts` exports. */
export interface Bench {
  run(input: { args: string[] }): Promise<BenchReport>;
  /** Peers that are measured beside Mainstay. */
  debianPackages?: readonly string[];
}
