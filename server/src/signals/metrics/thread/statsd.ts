import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { createStatsdMetrics, type StatsdSeries } from "@mainstay/metrics/wire";
import type { Clock } from "../../../kernel/clock.ts";
import type { Intake } from "./intake.ts";
import type { StatsdSettings } from "./settings.ts";
import type { Attempt } from "./upkeep.ts";

/** Different texts that a set counts between two collections. */
const SET_MEMBERS = 10_000;

export interface Statsd {
  /** Where it listens; null: nowhere. */
  port(): number | null;
  lines(): number;
  /** By reason, what was not taken of what came. */
  refused(): Readonly<Record<string, number>>;
  /** Lines that came beyond `settings.series`, and the metric of the last of them. */
  crowdedOut(): { count: number; metric: string };
  end(): Promise<void>;
}

export interface StatsdDependencies {
  settings: StatsdSettings;
  clock: Clock;
  /** Of what comes from outside. */
  beginIntake(): Intake;
  attempt: Attempt;
}

/** Takes in StatsD and DogStatsD over UDP, and writes what came as samples now and then. */
export function startStatsd({ settings, clock, beginIntake, attempt }: StatsdDependencies): Statsd {
  const { host, port, intervalMs, series } = settings;
  const metrics = createStatsdMetrics({ limits: { series, setMembers: SET_MEMBERS } });
  let socket: Socket | null = null;

  async function listen(): Promise<void> {
    if (socket !== null) return;
    const opened = createSocket(host.includes(":") ? "udp6" : "udp4");
    opened.bind(port, host);
    await once(opened, "listening");
    opened.on("message", (datagram) => metrics.receive(datagram.toString()));
    opened.on("error", () => {
      opened.close();
      socket = null;
    });
    socket = opened;
  }

  function write(): void {
    const intake = beginIntake();
    for (const each of metrics.collect()) add(intake, each, clock.now().getTime());
    intake.finish();
  }

  void attempt("statsd", listen);
  const stop = clock.every(intervalMs, async () => {
    await attempt("statsd", listen);
    await attempt("samples of statsd", write);
  });
  return {
    port: () => socket?.address().port ?? null,
    lines: () => metrics.counts().lines,
    refused: () => metrics.counts().refused,
    crowdedOut: () => metrics.counts().crowdedOut,
    async end() {
      stop();
      await attempt("samples of statsd", write);
      socket?.close();
    },
  };
}

function add(intake: Intake, series: StatsdSeries, timestampMs: number): void {
  const ref = intake.resolve(series.labels);
  if (typeof ref !== "number") {
    const { reason, message } = ref;
    return intake.refuse({ what: "sample", reason, count: 1, message: () => message });
  }
  if (series.kind === "histogram") return intake.addHistogram({ ref, timestampMs, value: series.histogram });
  const words = new Uint32Array(new Float64Array([series.value]).buffer);
  intake.addSample(ref, timestampMs, { words, index: 0 });
}
