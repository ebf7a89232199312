import type { IncomingMessage } from "node:http";
import type { RemoteConfig } from "@mainstay/api";
import type { Clock } from "../../../kernel/clock.ts";
import type { Log } from "../../../kernel/log.ts";
import type { Metrics } from "../../../kernel/metrics.ts";
import { reasonOf } from "../../../kernel/reason-of.ts";
import { ApiError } from "../api-error.ts";
import type { Access } from "../connection/access.ts";
import type { ApiCall, ApiEndpoint } from "../metrics-store.ts";
import type { StreamedAnswer } from "../query-api.ts";
import { bounded } from "./bounded.ts";
import { connect } from "./connect.ts";
import { judgeAnswer, tooLarge } from "./judge-answer.ts";
import { RemoteFailure, TYPES_BY_REASON } from "./remote-failure.ts";

export interface RemoteApiDependencies {
  config: Pick<RemoteConfig, "timeout" | "bodyLimit"> & { url: string };
  access: Access;
  clock: Clock;
  log: Log;
  metrics: Metrics;
}

/** A Prometheus elsewhere, or one of its kind, that answers what is asked of ours. */
export interface RemoteApi {
  /** Fails with an ApiError when there is nothing to pass on. */
  answer(call: ApiCall, signal: AbortSignal): Promise<StreamedAnswer>;
  /** Why it cannot be asked, in words; null: it can. */
  problem(): string | null;
  start(): void;
  stop(): void;
}

const CALLS_MAX = 256;
const PROBE_EVERY_MS = 15_000;
const PROBE_MS = 5_000;
const SECONDS = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** Passes questions on. Whether the remote can be asked is tried four times a minute, asked or not. */
export function createRemoteApi(dependencies: RemoteApiDependencies): RemoteApi {
  const { config, clock, log } = dependencies;
  const connection = connect(config.url, dependencies.access);
  const figures = remoteFigures(dependencies.metrics);
  const place = `the remote metrics store at ${new URL(config.url).origin}`;
  let underWay = 0;
  let problem: string | null = null;
  let stopProbing = (): void => {};

  async function ask(call: ApiCall, signal: AbortSignal, timeoutMs: number): Promise<StreamedAnswer> {
    if (underWay >= CALLS_MAX)
      throw new RemoteFailure("busy", `${CALLS_MAX} questions to ${place} are under way`);
    underWay += 1;
    const startedMs = clock.monotonicMs();
    const late = AbortSignal.timeout(timeoutMs);
    const inWords = (error: unknown) => toFailure(error, { place, isLate: late.aborted, timeoutMs });
    const settle = (error: Error | null): void => {
      underWay -= 1;
      figures.seconds.observe({ endpoint: call.endpoint }, (clock.monotonicMs() - startedMs) / 1000);
      // Who hangs up has nothing to complain of.
      if (error !== null && !signal.aborted) figures.failures.add({ reason: inWords(error).reason });
    };
    let response: IncomingMessage;
    try {
      const { acceptsGzip, form } = call;
      const aborted = AbortSignal.any([signal, late]);
      response = await connection.ask({ path: pathOf(call), form, acceptsGzip, signal: aborted });
    } catch (error) {
      const failure = inWords(error);
      settle(failure);
      throw failure;
    }
    return passOn(response, call, { settle, inWords });
  }

  async function passOn(
    response: IncomingMessage,
    { acceptsGzip }: ApiCall,
    { settle, inWords }: { settle(error: Error | null): void; inWords(error: unknown): RemoteFailure },
  ): Promise<StreamedAnswer> {
    const { statusCode: status = 0, headers } = response;
    const limitBytes = config.bodyLimit;
    let isGzip: boolean;
    try {
      ({ isGzip } = judgeAnswer({ status, headers }, { place, acceptsGzip, limitBytes }));
    } catch (error) {
      response.destroy();
      const failure = inWords(error);
      settle(failure);
      throw failure;
    }
    const tooMuch = () => tooLarge(place, limitBytes);
    const body = await bounded(response, { limitBytes, tooMuch, settle }).catch((error: unknown) => {
      throw inWords(error);
    });
    return { status, contentType: headers["content-type"] ?? "", isGzip, body };
  }

  async function probe(): Promise<void> {
    const before = problem;
    try {
      const never = new AbortController().signal;
      const { status, body } = await ask(PROBE, never, Math.min(PROBE_MS, config.timeout));
      body.resume();
      problem = status === 200 ? null : `${place} answered a trial question with status ${status}`;
    } catch (error) {
      problem = reasonOf(error);
    }
    figures.up.set({}, Number(problem === null));
    if (problem === null && before !== null)
      log.info({ place }, "the remote metrics store can be asked again");
    if (problem !== null && before === null)
      log.warn({ problem }, "the remote metrics store cannot be asked");
  }

  return {
    async answer(call, signal) {
      try {
        return await ask(call, signal, config.timeout);
      } catch (error) {
        if (error instanceof RemoteFailure) throw new ApiError(TYPES_BY_REASON[error.reason], error.message);
        throw error;
      }
    },
    problem: () => problem,
    start() {
      stopProbing = clock.every(PROBE_EVERY_MS, probe);
      void probe();
    },
    stop() {
      stopProbing();
      connection.close();
    },
  };
}

const PROBE: ApiCall = { endpoint: "query", subject: "", search: "query=1", form: "", acceptsGzip: false };

function pathOf({ endpoint, subject, search }: ApiCall): string {
  const name: string = endpoint === "label_values" ? `label/${encodeURIComponent(subject)}/values` : endpoint;
  return `/api/v1/${name}${search === "" ? "" : `?${search}`}`;
}

function toFailure(
  error: unknown,
  { place, isLate, timeoutMs }: { place: string; isLate: boolean; timeoutMs: number },
): RemoteFailure {
  if (error instanceof RemoteFailure) return error;
  if (isLate) {
    const message = `${place} gave no whole answer within ${timeoutMs / 1000} s (metrics.remote.timeout): ask for less, or later`;
    return new RemoteFailure("timeout", message, { cause: error });
  }
  const isCut = error instanceof Error && "code" in error && error.code === "ERR_STREAM_PREMATURE_CLOSE";
  const reason = reasonOf(error);
  if (isCut || reason === "aborted")
    return new RemoteFailure("cut-off", `${place} cut its answer off: ask again, and see its log`, {
      cause: error,
    });
  const message = `${place} cannot be asked: ${reason}. See that it runs and that metrics.remote is right`;
  return new RemoteFailure("unreachable", message, { cause: error });
}

function remoteFigures(metrics: Metrics) {
  return {
    up: metrics.gauge({
      name: "mainstay_metrics_remote_up",
      help: "Whether the remote metrics store answered when it was last tried.",
    }),
    seconds: metrics.histogram<"endpoint">({
      name: "mainstay_metrics_remote_duration_seconds",
      help: "Time of questions to the remote metrics store, to the end of the answer.",
      labels: ["endpoint"],
      bounds: SECONDS,
    }),
    failures: metrics.counter<"reason">({
      name: "mainstay_metrics_remote_failures_total",
      help: "Questions to the remote metrics store whose answer was not passed on whole.",
      labels: ["reason"],
    }),
  };
}

/** Questions about samples; what is about Mainstay itself stays here. */
export const FORWARDED: ReadonlySet<ApiEndpoint> = new Set([
  "query",
  "query_range",
  "query_exemplars",
  "labels",
  "label_values",
  "series",
  "metadata",
]);
