/**
 * Users are spread over this many groups (assignment hash
 * modulo 20); failures of one user fall into one group.
 */
export const GROUPS = 20;

/** The cadence of samples: each one sums up the requests of one second. */
export const SAMPLE_MS = 1_000;

/** Requests of one arm in one second, by group. */
export interface ArmTally {
  total: number[];
  bad: number[];
}

/** What both arms did in the second that starts at `atMs`, for one metric. */
export interface Sample {
  atMs: number;
  metric: string;
  stable: ArmTally;
  candidate: ArmTally;
}

/**
 * Throws when a sample cannot be counted: the caller has
 * mixed something up, and silence would bend the evidence.
 */
export function checkSample(sample: Sample): void {
  if (!Number.isFinite(sample.atMs)) throw new Error(`sample.atMs must be a time in ms, got ${sample.atMs}`);
  checkArm(sample.stable, `${sample.metric}.stable`);
  checkArm(sample.candidate, `${sample.metric}.candidate`);
}

function checkArm(arm: ArmTally, where: string): void {
  const { total, bad } = arm;
  if (total.length !== GROUPS)
    throw new Error(`${where}.total must have ${GROUPS} groups, got ${total.length}`);
  if (bad.length !== GROUPS) throw new Error(`${where}.bad must have ${GROUPS} groups, got ${bad.length}`);
  for (let group = 0; group < GROUPS; group += 1) {
    const all = total[group] ?? 0;
    const failed = bad[group] ?? 0;
    if (!isCount(all)) throw new Error(`${where}.total[${group}] must be a whole number ≥ 0, got ${all}`);
    if (!isCount(failed)) throw new Error(`${where}.bad[${group}] must be a whole number ≥ 0, got ${failed}`);
    if (failed > all)
      throw new Error(`${where}.bad[${group}] is ${failed}, more than the ${all} requests there were`);
  }
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}
