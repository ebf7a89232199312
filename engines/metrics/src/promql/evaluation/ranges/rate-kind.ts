/** What a rate is taken of, and per what. */
export interface RateKind {
  isCounter: boolean;
  isPerSecond: boolean;
}
