/** One step of an installation: shown before it is done, done only where it is needed. */
export interface Step {
  id: string;
  /** What it is about, in a few words. */
  title: string;
  /** What it will do, or does when it is done again. */
  what: string;
  isDone(): Promise<boolean>;
  do(): Promise<void>;
  /**
   * Takes back what `do` did; not there where nothing is left to take back, or where it belongs to others.
   */
  undo?(): Promise<void>;
}

export interface PlannedStep {
  step: Step;
  isDone: boolean;
}

/** Looks at every step without altering anything. */
export async function lookAt(steps: readonly Step[]): Promise<PlannedStep[]> {
  const planned: PlannedStep[] = [];
  for (const step of steps) planned.push({ step, isDone: await step.isDone() });
  return planned;
}

/**
 * Does what is not done, in order. A step that fails takes back what it and this run's steps before it did.
 * What a step needed may be done by one before it, so each is looked at again.
 */
export async function carryOut(steps: readonly Step[], tell: (line: string) => void): Promise<void> {
  const done: Step[] = [];
  for (const step of steps) {
    if (await step.isDone()) continue;
    done.unshift(step);
    try {
      await step.do();
      tell(`done  ${step.title}`);
    } catch (error) {
      tell(`failed  ${step.title}: ${reasonOf(error)}`);
      await takeBack(done, tell);
      throw error;
    }
  }
}

/**
 * Takes steps back in the order given; one that cannot be
 * does not stop the others. Answers how many could not.
 */
export async function takeBack(steps: readonly Step[], tell: (line: string) => void): Promise<number> {
  let failed = 0;
  for (const step of steps) {
    if (!step.undo) continue;
    try {
      await step.undo();
      tell(`taken back  ${step.title}`);
    } catch (error) {
      failed += 1;
      tell(`not taken back  ${step.title}: ${reasonOf(error)}`);
    }
  }
  return failed;
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
