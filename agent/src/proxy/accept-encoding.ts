export type Coding = "br" | "gzip";

/** The cheaper in bytes first: what is taken when a client likes both alike. */
const CODINGS: readonly Coding[] = ["br", "gzip"];

/** The coding a client takes and likes best (RFC 9110, section 12.5.3); null: none of ours. */
export function chooseCoding(header: string | undefined): Coding | null {
  if (header === undefined || header === "") return null;
  const weights = readWeights(header);
  let best: { coding: Coding; weight: number } | null = null;
  for (const coding of CODINGS) {
    const weight = weights.get(coding) ?? (coding === "gzip" ? weights.get("x-gzip") : undefined);
    const known = weight ?? weights.get("*") ?? 0;
    if (known > (best?.weight ?? 0)) best = { coding, weight: known };
  }
  // A client that likes the bytes as they are better gets them so.
  return best && best.weight >= (weights.get("identity") ?? 0) ? best.coding : null;
}

function readWeights(header: string): Map<string, number> {
  const weights = new Map<string, number>();
  for (const part of header.split(",")) {
    const [name = "", ...parameters] = part.split(";").map((each) => each.trim().toLowerCase());
    const weight = parameters.find((each) => each.startsWith("q="))?.slice(2);
    weights.set(name, weight === undefined ? 1 : readWeight(weight));
  }
  return weights;
}

/** What is no weight means "not acceptable": the client then gets what it certainly understands. */
function readWeight(text: string): number {
  return /^(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/.test(text) ? Number(text) : 0;
}
