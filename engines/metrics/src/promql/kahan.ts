/** A sum that carries what rounding has lost (Kahan's summation in the variant of Neumaier, 1974). */
export interface Sum {
  value: number;
  lost: number;
}

export function createSum(value: number): Sum {
  return { value, lost: 0 };
}

/** Adds to the sum; one that has become infinite has lost nothing any more. */
export function addTo(sum: Sum, term: number): void {
  const total = sum.value + term;
  if (total === Infinity || total === -Infinity) sum.lost = 0;
  else if (Math.abs(sum.value) >= Math.abs(term)) sum.lost += sum.value - total + term;
  else sum.lost += term - total + sum.value;
  sum.value = total;
}

export function totalOf({ value, lost }: Sum): number {
  return value + lost;
}
