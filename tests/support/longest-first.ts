import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Files that take long for their size, which is what the others are sorted by. */
const LONG = [
  "identity-attacks.int.test.ts",
  "failover.int.test.ts",
  "rotation-killed.int.test.ts",
  "applications.test.ts",
];

/** Begins with the files that take longest, so that no worker is left with one of them at the end. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    // oxlint-disable-next-line unicorn/no-array-sort -- not an array's
    const sorted = await super.sort(files);
    const isLong = ({ moduleId }: TestSpecification) => LONG.some((each) => moduleId.endsWith(`/${each}`));
    return [...sorted.filter(isLong), ...sorted.filter((each) => !isLong(each))];
  }
}
