/** A seeded source of randomness: the same seed gives the same simulation everywhere. */
export interface Random {
  /** Uniform in [0, 1). */
  uniform(): number;
  normal(): number;
  poisson(mean: number): number;
  gamma(shape: number): number;
}

/** Above this mean a Poisson count is drawn as a rounded normal one. */
const LARGE_MEAN = 30;

export function createRandom(seed: number): Random {
  const uniform = createUniform(seed);
  const normal = createNormal(uniform);
  return {
    uniform,
    normal,
    poisson: (mean) => drawPoisson(mean, uniform, normal),
    gamma: (shape) => drawGamma(shape, uniform, normal),
  };
}

/** xoshiro128** (Blackman & Vigna 2018), its state filled by splitmix32. */
function createUniform(seed: number): () => number {
  let state = seed | 0;
  const next = () => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return (mixed ^ (mixed >>> 15)) | 0;
  };
  let [a, b, c, d] = [next(), next(), next(), next()];
  return () => {
    const times5 = Math.imul(b, 5);
    const result = Math.imul((times5 << 7) | (times5 >>> 25), 9);
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = (d << 11) | (d >>> 21);
    return (result >>> 0) / 0x1_0000_0000;
  };
}

/** Marsaglia's polar method gives two at a time. */
function createNormal(uniform: () => number): () => number {
  let spare = NaN;
  return () => {
    const kept = spare;
    spare = NaN;
    if (!Number.isNaN(kept)) return kept;
    for (;;) {
      const x = 2 * uniform() - 1;
      const y = 2 * uniform() - 1;
      const square = x * x + y * y;
      if (square >= 1 || square === 0) continue;
      const scale = Math.sqrt((-2 * Math.log(square)) / square);
      spare = y * scale;
      return x * scale;
    }
  };
}

function drawPoisson(mean: number, uniform: () => number, normal: () => number): number {
  if (mean > LARGE_MEAN) return Math.max(0, Math.round(mean + Math.sqrt(mean) * normal()));
  const floor = Math.exp(-mean);
  let count = 0;
  for (let product = uniform(); product > floor; product *= uniform()) count += 1;
  return count;
}

/** Marsaglia & Tsang 2000; a shape below 1 by their boost. */
function drawGamma(shape: number, uniform: () => number, normal: () => number): number {
  if (shape < 1) return drawGamma(shape + 1, uniform, normal) * uniform() ** (1 / shape);
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = normal();
    const v = (1 + c * x) ** 3;
    if (v > 0 && Math.log(uniform()) < 0.5 * x * x + d - d * v + d * Math.log(v)) return d * v;
  }
}
