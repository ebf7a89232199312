export type RunOne = <Result>(work: () => Promise<Result>) => Promise<Result>;

/** Work that must not overlap, in the order it was asked for; what fails holds nobody up. */
export function createOneAtATime(): RunOne {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const mine = last.then(work);
    last = mine.catch(() => {});
    return mine;
  };
}
