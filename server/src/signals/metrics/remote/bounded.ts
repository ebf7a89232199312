import { once } from "node:events";
import { pipeline, Transform, type Readable } from "node:stream";

/**
 * The same bytes, of which there are at most so many: what goes beyond the limit, or is cut
 * off, ends with an error. Resolves when the first of them are there; `settle` hears how it all ended.
 */
export async function bounded(
  source: Readable,
  { limitBytes, tooMuch, settle }: { limitBytes: number; tooMuch: () => Error; settle: Settle },
): Promise<Readable> {
  let passedBytes = 0;
  const limited = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      passedBytes += chunk.length;
      if (passedBytes > limitBytes) done(tooMuch());
      else done(null, chunk);
    },
  });
  pipeline(source, limited, (error) => settle(error ?? null));
  await once(limited, "readable");
  return limited;
}

type Settle = (error: Error | null) => void;
