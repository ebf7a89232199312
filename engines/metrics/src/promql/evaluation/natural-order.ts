/** Compares texts with the numbers in them as numbers: "v2" comes before "v10". */
export function compareNaturally(a: string, b: string): number {
  const [partsA, partsB] = [parts(a), parts(b)];
  for (let index = 0; index < Math.min(partsA.length, partsB.length); index++) {
    const order = compareParts(partsA[index] ?? "", partsB[index] ?? "");
    if (order !== 0) return order;
  }
  return partsA.length - partsB.length;
}

function parts(text: string): string[] {
  return text.match(/\d+|\D+/g) ?? [];
}

function compareParts(a: string, b: string): number {
  if (a === b) return 0;
  const areNumbers = /^\d/.test(a) && /^\d/.test(b);
  if (!areNumbers) return a < b ? -1 : 1;
  const [shortA, shortB] = [a.replace(/^0+/, ""), b.replace(/^0+/, "")];
  if (shortA.length !== shortB.length) return shortA.length - shortB.length;
  if (shortA !== shortB) return shortA < shortB ? -1 : 1;
  return a.length - b.length;
}
