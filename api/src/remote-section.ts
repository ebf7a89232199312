import { z } from "zod";
import { connectionSettings, connectionUrl, refuseTwoProofs } from "./connection-settings.ts";
import { durationWithin, sizeWithin } from "./unit-schemas.ts";

/** The part of `mainstay.platform.yaml` about the store elsewhere that answers queries. */

const SECOND = 1_000;
const HOUR = 3_600_000;
const MIB = 1024 ** 2;

export const remote = z
  .strictObject({
    url: connectionUrl
      .refine((url) => !/[?#]|\/api\/v1\/*$/.test(url), "expected the part of the URL before /api/v1")
      .nullable()
      .default(null)
      .describe(
        "Where a Prometheus, Mimir or VictoriaMetrics has its API, up to /api/v1, as in https://mimir.example.com/prometheus.",
      ),
    ...connectionSettings,
    timeout: durationWithin(SECOND, HOUR)
      .prefault("25s")
      .describe(
        "How long an answer may take, to its end; server.requestTimeout ends the wait for its begin.",
      ),
    bodyLimit: sizeWithin(MIB, 1024 * MIB, "expected a size from 1MiB to 1GiB")
      .prefault("64MiB")
      .describe("The largest answer that is passed on, as it comes over the wire."),
  })
  .check(refuseTwoProofs);
export type RemoteConfig = z.output<typeof remote>;
