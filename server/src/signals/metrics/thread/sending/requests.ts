import {
  compressSnappy,
  encodeRemoteWrite1,
  encodeRemoteWrite2,
  type OutgoingMetadata,
  type OutgoingSeries,
} from "@mainstay/metrics/wire";
import { createCredentials, readSecret } from "../../scraping/access.ts";
import { post, type PostAnswer } from "./post.ts";
import type { RemoteSettings } from "./remote-settings.ts";

/** Sends series to one receiver. */
export interface Requests {
  /** Throws with words when there is no answer. */
  send(series: readonly OutgoingSeries[], version: 1 | 2, signal: AbortSignal): Promise<PostAnswer>;
  /** What was told of families is forgotten, and told again. */
  forgetTold(): void;
  close(): void;
}

export type RequestSettings = Pick<RemoteSettings, "url" | "access" | "headers" | "timeoutMs">;

/** Remote-Write 1.0 and 2.0, "Protocol". */
const TYPES = {
  1: { "content-type": "application/x-protobuf", "x-prometheus-remote-write-version": "0.1.0" },
  2: {
    "content-type": "application/x-protobuf;proto=io.prometheus.write.v2.Request",
    "x-prometheus-remote-write-version": "2.0.0",
  },
} as const;

export function createRequests({ url, access, headers, timeoutMs }: RequestSettings): Requests {
  const credentials = createCredentials(access);
  const target = new URL(url);
  /** Version 1 tells of a family apart from its series: once. */
  const told = new Map<string, OutgoingMetadata>();

  async function ownHeaders(): Promise<Record<string, string>> {
    const entries = await Promise.all(
      headers.map(async ([name, value]) => [name.toLowerCase(), (await readSecret(value)) ?? ""] as const),
    );
    const authorization = await credentials.authorization();
    return { ...Object.fromEntries(entries), ...(authorization === null ? {} : { authorization }) };
  }

  return {
    async send(series, protocol, signal) {
      const news = protocol === 1 ? newsIn(series, told) : [];
      const plain = protocol === 1 ? encodeRemoteWrite1(series, news) : encodeRemoteWrite2(series);
      const common = { "content-encoding": "snappy", "user-agent": "mainstay" };
      const answer = await post({
        ...{
          url: target,
          agents: await credentials.agents(),
          body: compressSnappy(plain),
          timeoutMs,
          signal,
        },
        headers: { ...(await ownHeaders()), ...common, ...TYPES[protocol] },
      });
      if (answer.status >= 200 && answer.status < 300) for (const each of news) told.set(each.metric, each);
      return answer;
    },
    forgetTold: () => told.clear(),
    close: credentials.close,
  };
}

/** Metadata of which the receiver has not heard. */
function newsIn(
  series: readonly OutgoingSeries[],
  told: ReadonlyMap<string, OutgoingMetadata>,
): OutgoingMetadata[] {
  const news = new Map<string, OutgoingMetadata>();
  for (const { metadata } of series)
    if (metadata && told.get(metadata.metric) !== metadata) news.set(metadata.metric, metadata);
  return [...news.values()];
}
