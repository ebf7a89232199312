import { afterAll, afterEach, beforeAll, beforeEach } from "vitest";
import { startProduct, type Product, type ProductOptions } from "./product.ts";

const SHOWN_LINES = 60;

/** One running product for the tests around; when one of them fails, what was logged meanwhile is shown. */
export function useProduct(options?: ProductOptions): () => Product {
  let product: Product | null = null;
  let loggedBefore = 0;

  function running(): Product {
    if (!product) throw new Error("the product runs from beforeAll to afterAll");
    return product;
  }

  beforeAll(async () => {
    product = await startProduct(options);
  });
  beforeEach(() => {
    loggedBefore = running().log().length;
  });
  afterEach(({ task }) => {
    if (task.result?.state !== "fail") return;
    const lines = running().log().slice(loggedBefore).trimEnd().split("\n").filter(isTelling);
    process.stderr.write(
      `\nThe product's log during "${task.name}":\n${lines.slice(-SHOWN_LINES).join("\n")}\n`,
    );
  });
  afterAll(() => product?.stop());
  return running;
}

/** Requests that were answered as they should say little and are many. */
function isTelling(line: string): boolean {
  return !(line.includes('"level":"info"') && line.includes('"message":"request"'));
}
