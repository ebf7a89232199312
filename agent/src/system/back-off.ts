export interface BackOff {
  firstMs: number;
  limitMs: number;
}

/** The wait before try number `failures` (1 is the first repeat): doubling from `firstMs` up to `limitMs`. */
export function backOffMs(failures: number, { firstMs, limitMs }: BackOff): number {
  if (failures <= 0) return 0;
  return Math.min(limitMs, firstMs * 2 ** Math.min(failures - 1, 30));
}
