import type { IncomingHttpHeaders } from "node:http";
import { RemoteFailure } from "./remote-failure.ts";

/** What a remote answered, before its body. */
export interface AnswerHead {
  status: number;
  headers: IncomingHttpHeaders;
}

/** Statuses with which Prometheus and its like answer a question in their own words. */
const PASSED_ON = new Set([200, 400, 404, 413, 422, 429, 500, 503]);
/** VictoriaMetrics calls some of its answers application/stream+json. */
const JSON_TYPE = /^application\/([a-z0-9.-]+\+)?json$/;

/** Throws RemoteFailure for an answer that is none of Prometheus' API; says whether the body is packed. */
export function judgeAnswer(
  { status, headers }: AnswerHead,
  { place, acceptsGzip, limitBytes }: { place: string; acceptsGzip: boolean; limitBytes: number },
): { isGzip: boolean } {
  if (status === 401 || status === 403)
    throw new RemoteFailure(
      "refused",
      `${place} refused Mainstay with status ${status}: correct basicAuth, authorization or headers of metrics.remote`,
    );
  if (status >= 300 && status < 400)
    throw new RemoteFailure(
      "nonsense",
      `${place} sends us elsewhere with status ${status}, which is not followed: set metrics.remote.url to where its API is`,
    );
  const type = headers["content-type"]?.split(";")[0]?.trim().toLowerCase() ?? "no type";
  if (!PASSED_ON.has(status) || !JSON_TYPE.test(type))
    throw new RemoteFailure(
      "nonsense",
      `${place} answered with status ${status} and ${type}, which is no answer of Prometheus' API: correct metrics.remote.url, or see what stands between`,
    );
  const encoding = headers["content-encoding"]?.toLowerCase() ?? "identity";
  const isGzip = encoding === "gzip";
  if (encoding !== "identity" && !(isGzip && acceptsGzip))
    throw new RemoteFailure(
      "nonsense",
      `${place} packed its answer with ${encoding}, which nobody asked for`,
    );
  const announcedBytes = Number(headers["content-length"] ?? 0);
  if (announcedBytes > limitBytes) throw tooLarge(place, limitBytes);
  return { isGzip };
}

export function tooLarge(place: string, limitBytes: number): RemoteFailure {
  return new RemoteFailure(
    "too-large",
    `the answer of ${place} is larger than metrics.remote.bodyLimit, ${limitBytes} bytes: ask for less, or raise it`,
  );
}
