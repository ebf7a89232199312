import type pg from "pg";
import { NUMBERED_CHANNEL, numberRows, type Stream } from "./store.ts";

const BATCH_ROWS = 1000;

/**
 * Numbers every committed row of the streams that has no number yet; answers how many it numbered. The client must
 * hold the leader's lock: a session that may have lost it has lost its connection too, so that two sequencers can
 * never write at the same time, and the numbers stay without gaps.
 */
export async function numberStreams(client: pg.ClientBase, streams: readonly Stream[]): Promise<number> {
  let total = 0;
  for (const stream of streams) {
    for (let count = BATCH_ROWS; count === BATCH_ROWS; ) {
      count = await numberRows(client, stream, BATCH_ROWS);
      if (count > 0) await client.query(`notify ${NUMBERED_CHANNEL}`);
      total += count;
    }
  }
  return total;
}
