import type { Product } from "./product.ts";

/** The sum of a metric's samples at /metrics whose labels are as given; 0 when there is none. */
export async function readMetric(
  product: Product,
  name: string,
  labels: Record<string, string> = {},
): Promise<number> {
  const { MAINSTAY_TOKEN } = product.access();
  const headers = { authorization: `Bearer ${MAINSTAY_TOKEN}` };
  const text = await (await fetch(`${product.url}/metrics`, { headers })).text();
  const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
  const samples = text.split("\n").filter((line) => {
    return new RegExp(`^${name}[{ ]`).test(line) && wanted.every((each) => line.includes(each));
  });
  return samples.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" ") + 1)), 0);
}
