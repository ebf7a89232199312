/** 1 and "sample" → "1 sample", 2 → "2 samples"; words that do more than get an s are given as `many`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}
