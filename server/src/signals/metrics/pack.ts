import { promisify } from "node:util";
import { gzip } from "node:zlib";

const GZIP_FROM_BYTES = 1024;
/** The least effort: it is paid for each answer, and gives most of what there is to gain. */
const GZIP_LEVEL = 1;
const compress = promisify(gzip);

/** An answer as it goes out: packed where that is wanted and worth it. */
export async function pack(
  plain: Uint8Array<ArrayBuffer>,
  acceptsGzip: boolean,
): Promise<{ isGzip: boolean; body: Uint8Array<ArrayBuffer> }> {
  if (!acceptsGzip || plain.length < GZIP_FROM_BYTES) return { isGzip: false, body: plain };
  return { isGzip: true, body: new Uint8Array(await compress(plain, { level: GZIP_LEVEL })) };
}

const REFUSED = /^\s*q\s*=\s*0(\.0*)?\s*$/i;

/** Whether an Accept-Encoding names gzip, and not to refuse it. (RFC 9110 §12.5.3) */
export function isGzipAccepted(header: string): boolean {
  return header.split(",").some((each) => {
    const [coding = "", ...weights] = each.split(";");
    return coding.trim().toLowerCase() === "gzip" && !weights.some((weight) => REFUSED.test(weight));
  });
}
