import {
  compressSnappy,
  encodeRemoteWrite1,
  encodeRemoteWrite2,
  type OutgoingMetadata,
  type OutgoingSeries,
} from "@mainstay/metrics/wire";
import { createConnection } from "../../connection/connection.ts";
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

export type RequestSettings = Pick<RemoteSettings, "url" | "access" | "timeoutMs">;

/** Remote-Write 1.0 and 2.0, "Protocol". */
const TYPES = {
  1: { "content-type": "application/x-protobuf", "x-prometheus-remote-write-version": "0.1.0" },
  2: {
    "content-type": "application/x-protobuf;proto=io.prometheus.write.v2.Request",
    "x-prometheus-remote-write-version": "2.0.0",
  },
} as const;
/** One request is sent after the other. */
const SOCKETS_MAX = 1;

export function createRequests({ url, access, timeoutMs }: RequestSettings): Requests {
  const connection = createConnection(access, { socketsMax: SOCKETS_MAX });
  const target = new URL(url);
  /** Version 1 tells of a family apart from its series: once. */
  const told = new Map<string, OutgoingMetadata>();

  return {
    async send(series, protocol, signal) {
      const news = protocol === 1 ? newsIn(series, told) : [];
      const plain = protocol === 1 ? encodeRemoteWrite1(series, news) : encodeRemoteWrite2(series);
      const answer = await post({
        ...{ connection, url: target, body: compressSnappy(plain), timeoutMs, signal },
        headers: { "content-encoding": "snappy", ...TYPES[protocol] },
      });
      if (answer.status >= 200 && answer.status < 300) for (const each of news) told.set(each.metric, each);
      return answer;
    },
    forgetTold: () => told.clear(),
    close: connection.close,
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
