import { createLabels } from "@mainstay/metrics/model";
import { encodeRemoteWrite1, encodeRemoteWrite2, type OutgoingSeries } from "@mainstay/metrics/wire";
import { compressSync } from "snappy";
import { createRandom, instanceSeries, SERIES_PER_INSTANCE } from "../metrics-store/workload.ts";

const SCRAPE_MS = 15_000;
/** A sender's usual batch. */
const SAMPLES_PER_REQUEST = 2_000;
const SEED = 7;

/** What a fleet of instances sends, made once: every receiver gets the same bytes. */
export interface Payload {
  series: number;
  samples: number;
  startMs: number;
  endMs: number;
  version1: Uint8Array<ArrayBuffer>[];
  version2: Uint8Array<ArrayBuffer>[];
}

interface Wanted {
  series: number;
  scrapes: number;
  endMs: number;
}

/** Each request holds one scrape of twenty instances, as a sender that follows them would cut it. */
export function createPayload({ series, scrapes, endMs }: Wanted): Payload {
  const random = createRandom(SEED);
  const fleet = Array.from({ length: series / SERIES_PER_INSTANCE }, (_, instance) =>
    instanceSeries(instance, random).map(({ labels, next }) => ({
      labels: createLabels(labels),
      next,
    })),
  );
  const startMs = endMs - (scrapes - 1) * SCRAPE_MS;
  const payload: Payload = { series, samples: 0, startMs, endMs, version1: [], version2: [] };
  const instances = SAMPLES_PER_REQUEST / SERIES_PER_INSTANCE;
  for (let scrape = 0; scrape < scrapes; scrape += 1) {
    for (let from = 0; from < fleet.length; from += instances) {
      const batch = fleet.slice(from, from + instances).flatMap((each, nth) =>
        each.map(({ labels, next }): OutgoingSeries => {
          const timestampMs = startMs + scrape * SCRAPE_MS - (((from + nth) * 997) % SCRAPE_MS);
          return { labels, timestampsMs: [timestampMs], values: Float64Array.of(next()) };
        }),
      );
      payload.samples += batch.length;
      payload.version1.push(pack(encodeRemoteWrite1(batch)));
      payload.version2.push(pack(encodeRemoteWrite2(batch)));
    }
  }
  return payload;
}

function pack(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(compressSync(Buffer.from(bytes)));
}
