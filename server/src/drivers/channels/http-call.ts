const EXCERPT_BYTES = 512;

export interface HttpAnswer {
  status: number;
  retryAfter: string | null;
  /** The beginning of what an answer other than 2xx says. */
  excerpt: string;
}

/** One request; redirects are not followed, and no more than the beginning of an answer is read. */
export async function callHttp(url: string, init: RequestInit): Promise<HttpAnswer> {
  const response = await fetch(url, { ...init, redirect: "manual" }).catch((error: unknown) => {
    throw new Error(reasonOf(error), { cause: error });
  });
  const excerpt = await readBeginning(response).catch(() => "");
  return { status: response.status, retryAfter: response.headers.get("retry-after"), excerpt };
}

/** Null for a success; else what was answered. */
export function failureOf({ status, excerpt }: HttpAnswer): string | null {
  if (status >= 200 && status < 300) return null;
  if (status >= 300 && status < 400) return `answered ${status}: redirects are not followed`;
  return excerpt === "" ? `answered ${status}` : `answered ${status}: ${excerpt}`;
}

async function readBeginning({ ok, body }: Response): Promise<string> {
  if (ok) await body?.cancel();
  if (ok || !body) return "";
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    sizeBytes += chunk.byteLength;
    if (sizeBytes >= EXCERPT_BYTES) break;
  }
  const text = Buffer.concat(chunks).subarray(0, EXCERPT_BYTES).toString();
  return text.replaceAll(/[\s\p{C}]+/gu, " ").trim();
}

/** The cause says more than "fetch failed", and holds neither path nor query of the URL. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === "TimeoutError") return "no answer in time";
  return error.cause instanceof Error ? reasonOf(error.cause) : error.message || String(errorCode(error));
}

function errorCode(error: Error): unknown {
  return "code" in error ? error.code : error.name;
}
