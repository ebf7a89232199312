import { prometheusAnswer } from "@mainstay/api";
import { z } from "zod";
import type { Audit } from "../../../core/audit/index.ts";
import type { Database } from "../../../kernel/database/index.ts";
import { BYTES, originOf, reply, type Http, type Origin } from "../../../kernel/http/index.ts";
import { ApiError, API_TYPES_BY_FAULT } from "../api-error.ts";
import { MetricsError, type MetricsStore, type SeriesRequest } from "../metrics-store.ts";
import { EVER_MS, readParameters, readTimeMs, readTruth } from "../parameters.ts";
import { answerHere, FORM_TYPES, readForm, searchOf, STATUSES, texts } from "./api-answer.ts";

export interface AdminRoutesDependencies {
  store: Pick<MetricsStore, "deleteSeries" | "cleanTombstones" | "snapshot">;
  audit: Pick<Audit, "record">;
  db: Database;
  formBytes: number;
}

const BASE = "/prometheus/api/v1/admin/tsdb";

/** What alters the store itself; Prometheus has it under POST and PUT. */
export function addAdminRoutes(http: Http, dependencies: AdminRoutesDependencies): void {
  const { store, audit, db, formBytes } = dependencies;

  /** The row about it and the act stand or fall together. */
  async function act<T>(
    origin: Origin,
    action: string,
    { after, work }: { after: Facts; work(): Promise<T> },
  ) {
    return db.transaction().execute(async (tx) => {
      const resource = { type: "metrics-store", id: "local" };
      await audit.record(tx, { ...origin, action: `metrics.${action}`, resource, after });
      return inWordsOfTheApi(work);
    });
  }

  for (const method of ["POST", "PUT"] as const) {
    const common = {
      method,
      permission: "metrics.admin",
      takesBasic: true,
      tags: ["metrics"],
      takes: FORM_TYPES,
      bytes: "application/json",
      statuses: [204, ...STATUSES],
      response: BYTES,
      holds: prometheusAnswer,
    } as const;
    http.route({
      ...{ ...common, url: `${BASE}/delete_series`, stepUp: true },
      summary: "Deletes samples of the series that match; their room comes back with clean_tombstones",
      query: z.looseObject({ "match[]": texts, start: texts, end: texts }),
      handler: async (request) =>
        answerHere(request, async () => {
          const asked = toRequest(searchOf(request.query), await readForm(request, formBytes));
          const after = { match: asked.match, ...timesOf(asked) };
          const work = () => store.deleteSeries(asked);
          await act(originOf(request), "series_deleted", { after, work });
          return NOTHING;
        }),
    });
    http.route({
      ...{ ...common, url: `${BASE}/clean_tombstones`, summary: "Gives the room of deleted samples back" },
      query: z.looseObject({}),
      handler: (request) =>
        answerHere(request, async () => {
          const work = () => store.cleanTombstones();
          await act(originOf(request), "tombstones_cleaned", { after: {}, work });
          return NOTHING;
        }),
    });
    http.route({
      ...{ ...common, url: `${BASE}/snapshot`, summary: "A copy of the store below metrics/snapshots" },
      query: z.looseObject({ skip_head: texts.describe("read, and without effect: nothing is left out") }),
      handler: (request) =>
        answerHere(request, async () => {
          readTruth(readParameters(searchOf(request.query), await readForm(request, formBytes)), "skip_head");
          const work = () => store.snapshot();
          return { name: await act(originOf(request), "snapshot_taken", { after: {}, work }) };
        }),
    });
  }
}

type Facts = Record<string, unknown>;
const NOTHING = reply({ status: 204, body: new Uint8Array(0) });

function toRequest(search: string, form: string): SeriesRequest {
  const parameters = readParameters(search, form);
  const match = parameters.all("match[]");
  if (match.length === 0) throw new ApiError("bad_data", "no match[] parameter provided");
  const [fromMs, toMs] = [readTimeMs(parameters, "start", -EVER_MS), readTimeMs(parameters, "end", EVER_MS)];
  return { match, fromMs, toMs };
}

function timesOf({ fromMs = -EVER_MS, toMs = EVER_MS }: SeriesRequest): Facts {
  const from = fromMs > -EVER_MS ? { from: new Date(Math.min(fromMs, EVER_MS)).toISOString() } : {};
  return toMs < EVER_MS ? { ...from, to: new Date(Math.max(toMs, -EVER_MS)).toISOString() } : from;
}

async function inWordsOfTheApi<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof MetricsError) throw new ApiError(API_TYPES_BY_FAULT[error.fault], error.message);
    throw error;
  }
}
