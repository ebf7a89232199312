/** What a rate is taken of, and per what. */
export interface RateKind {
  isCounter: boolean;
  isPerSecond: boolean;
}

export const RATE = { isCounter: true, isPerSecond: true };
export const INCREASE = { isCounter: true, isPerSecond: false };
export const DELTA = { isCounter: false, isPerSecond: false };

export const RATE_KINDS: ReadonlyMap<string, RateKind> = new Map([
  ["rate", RATE],
  ["increase", INCREASE],
  ["delta", DELTA],
]);
