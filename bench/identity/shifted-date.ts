/** Lets the time of this process run ahead, for a library that takes it from Date alone. */
export function createShiftedDate(): { advance(ms: number): void; restore(): void } {
  const Real = globalThis.Date;
  let aheadMs = 0;
  class Shifted extends Real {
    constructor(...given: [] | [number | string | Date]) {
      if (given.length === 0) super(Real.now() + aheadMs);
      else super(given[0]);
    }
    static override now(): number {
      return Real.now() + aheadMs;
    }
  }
  globalThis.Date = Shifted as DateConstructor;
  return { advance: (ms) => void (aheadMs += ms), restore: () => void (globalThis.Date = Real) };
}
