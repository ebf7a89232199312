/** Kullback–Leibler divergence of two Bernoulli distributions, in nats per request. */
export function divergence(share: number, from: number): number {
  return part(share, from) + part(1 - share, 1 - from);
}

function part(share: number, from: number): number {
  return share === 0 ? 0 : share * Math.log(share / from);
}
